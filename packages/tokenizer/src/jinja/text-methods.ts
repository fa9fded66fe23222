// Methods of Python's `str`.
import { Arguments } from './arguments.ts';
import { formatBraces } from './formats.ts';
import {
  capitalized,
  linesOf,
  onlySpace,
  replaced,
  splitAt,
  splitAtSpace,
  stripped,
  textItems,
  textLength,
  titled,
} from './text.ts';
import { type Callable, isText, itemsOf, rawText, TemplateError, Tuple, typeName, type Value } from './values.ts';

export function textMethod(text: string, name: string): Callable['call'] | undefined {
  const method = Object.hasOwn(methods, name) ? methods[name] : undefined;
  if (!method) return undefined;
  return (placed, named) => method.run(text, new Arguments(`str.${name}`, method.names, placed, named), placed, named);
}

interface TextMethod {
  readonly names: readonly string[];
  readonly run: (text: string, given: Arguments, placed: readonly Value[], named: ReadonlyMap<string, Value>) => Value;
}

const take = (names: readonly string[], run: TextMethod['run']): TextMethod => ({ names, run });
const plain = (run: (text: string) => Value): TextMethod => take([], run);
/** `str.format` takes any. */
const any = (run: TextMethod['run']): TextMethod => ({ names: anyNames, run });
const anyNames: readonly string[] = Object.assign(
  Array.from({ length: 100 }, (_, i) => `#${i}`),
  {
    includes: () => true,
  },
);

const strip = (side: 'both' | 'left' | 'right'): TextMethod =>
  take(['chars'], (text, given) => stripped(text, given.text('chars'), side));

const split = (fromRight: boolean): TextMethod =>
  take(['sep', 'maxsplit'], (text, given) => {
    const [separator, most] = [given.text('sep'), given.number('maxsplit', -1)];
    return separator === undefined ? splitAtSpace(text, most, fromRight) : splitAt(text, separator, most, fromRight);
  });

const ends = (name: string, test: (text: string, end: string) => boolean): TextMethod =>
  take(['prefix'], (text, given) => {
    const wanted = given.need('prefix');
    const options = isText(wanted) ? [wanted] : wanted instanceof Tuple ? itemsOf(wanted) : undefined;
    if (!options?.every(isText)) {
      throw new TemplateError(`${name} first arg must be str or a tuple of str, not ${typeName(wanted)}`);
    }
    return options.some((one) => test(text, rawText(one as string)));
  });

const place = (last: boolean, mustBe: boolean): TextMethod =>
  take(['sub', 'start', 'end'], (text, given) => {
    const wanted = given.text('sub') ?? '';
    const items = [...textItems(text)];
    const start = bounded(given.number('start', 0), items.length);
    const inside = items.slice(start, bounded(given.number('end', items.length), items.length)).join('');
    const at = last ? inside.lastIndexOf(wanted) : inside.indexOf(wanted);
    if (at < 0 && mustBe) throw new TemplateError('substring not found');
    return at < 0 ? -1 : start + textLength(inside.slice(0, at));
  });

const bounded = (index: number, length: number): number =>
  Math.min(length, Math.max(0, index < 0 ? index + length : index));

const part = (last: boolean): TextMethod =>
  take(['sep'], (text, given) => {
    const separator = given.text('sep') ?? '';
    const at = last ? text.lastIndexOf(separator) : text.indexOf(separator);
    if (at < 0) return new Tuple(last ? ['', '', text] : [text, '', '']);
    return new Tuple([text.slice(0, at), separator, text.slice(at + separator.length)]);
  });

const pad = (front: (missing: number, width: number) => number): TextMethod =>
  take(['width', 'fillchar'], (text, given) => {
    const width = given.width('width', 0);
    const missing = Math.max(0, width - textLength(text));
    const fill = given.text('fillchar') ?? ' ';
    const before = front(missing, width);
    return fill.repeat(before) + text + fill.repeat(missing - before);
  });

const every = (pattern: RegExp): TextMethod => plain((text) => pattern.test(text));
const hasCase = (text: string): boolean => text.toLowerCase() !== text.toUpperCase();

const methods: Readonly<Record<string, TextMethod>> = {
  upper: plain((text) => text.toUpperCase()),
  lower: plain((text) => text.toLowerCase()),
  casefold: plain((text) => text.toLowerCase().replaceAll('ß', 'ss')),
  title: plain(titled),
  capitalize: plain(capitalized),
  swapcase: plain((text) => [...text].map((c) => (c === c.toUpperCase() ? c.toLowerCase() : c.toUpperCase())).join('')),
  strip: strip('both'),
  lstrip: strip('left'),
  rstrip: strip('right'),
  split: split(false),
  rsplit: split(true),
  splitlines: take(['keepends'], (text, given) => linesOf(text, given.flag('keepends'))),
  startswith: ends('startswith', (text, end) => text.startsWith(end)),
  endswith: ends('endswith', (text, end) => text.endsWith(end)),
  find: place(false, false),
  rfind: place(true, false),
  index: place(false, true),
  rindex: place(true, true),
  count: take(['sub'], (text, given) => {
    const wanted = given.text('sub') ?? '';
    return wanted === '' ? textLength(text) + 1 : text.split(wanted).length - 1;
  }),
  replace: take(['old', 'new', 'count'], (text, given) =>
    replaced(text, given.text('old') ?? '', given.text('new') ?? '', given.number('count', -1)),
  ),
  join: take(['iterable'], (text, given) => {
    const items = itemsOf(given.need('iterable'));
    return items
      .map((one, i) => {
        if (isText(one)) return rawText(one);
        throw new TemplateError(`sequence item ${i}: expected str instance, ${typeName(one)} found`);
      })
      .join(text);
  }),
  format: any((text, _, placed, named) => formatBraces(text, placed, named)),
  partition: part(false),
  rpartition: part(true),
  removeprefix: take(['prefix'], (text, given) => {
    const end = given.text('prefix') ?? '';
    return text.startsWith(end) ? text.slice(end.length) : text;
  }),
  removesuffix: take(['suffix'], (text, given) => {
    const end = given.text('suffix') ?? '';
    return end !== '' && text.endsWith(end) ? text.slice(0, -end.length) : text;
  }),
  ljust: pad(() => 0),
  rjust: pad((missing) => missing),
  // As Python does it: the odd blank goes to the left of an odd width.
  center: pad((missing, width) => Math.floor(missing / 2) + (missing & width & 1)),
  zfill: take(['width'], (text, given) => {
    const sign = /^[+-]/.test(text) ? text[0]! : '';
    const width = given.width('width', 0);
    return sign + '0'.repeat(Math.max(0, width - textLength(text))) + text.slice(sign.length);
  }),
  isdigit: every(/^\p{Nd}+$/u),
  isdecimal: every(/^\p{Nd}+$/u),
  isnumeric: every(/^\p{N}+$/u),
  isalpha: every(/^\p{L}+$/u),
  isalnum: every(/^[\p{L}\p{N}]+$/u),
  isspace: every(onlySpace),
  isupper: plain((text) => hasCase(text) && text === text.toUpperCase()),
  islower: plain((text) => hasCase(text) && text === text.toLowerCase()),
  istitle: plain((text) => hasCase(text) && text === titled(text)),
};
