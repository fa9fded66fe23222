// Python's texts: counted in code points, with Python's idea of white space.
import { charactersOf, spendOnCounting } from './spending.ts';
import { TemplateError } from './values.ts';

const surrogates = /[\uD800-\uDFFF]/;

/** Whether JavaScript's units are code points here. */
const isPlain = (text: string): boolean => !surrogates.test(text);

export function textLength(text: string): number {
  if (isPlain(text)) return text.length;
  spendOnCounting(text);
  let length = 0;
  for (const _ of text) length++;
  return length;
}

export const textItems = (text: string): readonly string[] | string => (isPlain(text) ? text : charactersOf(text));

const space = '\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';
const front = new RegExp(`^[${space}]+`);
export const onlySpace = new RegExp(`^[${space}]+$`);
const words = new RegExp(`[^${space}]+`, 'g');

/** `str.strip(characters)`; `side` as in `lstrip` and `rstrip`. */
export function stripped(text: string, characters: string | undefined, side: 'both' | 'left' | 'right'): string {
  const strips = characters === undefined ? isSpace : (character: string) => characters.includes(character);
  let [start, end] = [0, text.length];
  if (side !== 'right') while (start < end && strips(pointAt(text, start))) start += pointAt(text, start).length;
  if (side !== 'left') while (end > start && strips(pointBefore(text, end))) end -= pointBefore(text, end).length;
  return text.slice(start, end);
}

const isSpace = (character: string): boolean => front.test(character);
const pointAt = (text: string, at: number): string => String.fromCodePoint(text.codePointAt(at)!);

function pointBefore(text: string, end: number): string {
  const pair = text.slice(Math.max(0, end - 2), end);
  return /^[\uD800-\uDBFF][\uDC00-\uDFFF]$/.test(pair) ? pair : text[end - 1]!;
}

/** `str.split()`: by runs of white space. */
export function splitAtSpace(text: string, most: number, fromRight = false): string[] {
  const found = [...text.matchAll(words)];
  if (most < 0 || found.length <= most) return found.map(([word]) => word);
  if (fromRight) {
    const last = most === 0 ? [] : found.slice(-most);
    const rest = last.length > 0 ? text.slice(0, last[0]!.index) : text;
    return [stripped(rest, undefined, 'both'), ...last.map(([word]) => word)];
  }
  return [...found.slice(0, most).map(([word]) => word), stripped(text.slice(found[most]!.index), undefined, 'both')];
}

/** `str.split(separator, most)` and `rsplit`. */
export function splitAt(text: string, separator: string, most: number, fromRight = false): string[] {
  if (separator === '') throw new TemplateError('empty separator');
  const parts = text.split(separator);
  if (most < 0 || parts.length <= most + 1) return parts;
  const cut = fromRight ? parts.length - most : most;
  const [left, right] = [parts.slice(0, cut), parts.slice(cut)];
  return fromRight ? [left.join(separator), ...right] : [...left, right.join(separator)];
}

const lineEnds = '\\n\\r\\v\\f\\x1c-\\x1e\\x85\\u2028\\u2029';
const line = new RegExp(`[^${lineEnds}]*(?:\\r\\n|[${lineEnds}])|[^${lineEnds}]+$`, 'g');
const lineEnd = new RegExp(`(?:\\r\\n|[${lineEnds}])$`);

/** `str.splitlines(keepends)` */
export function linesOf(text: string, keepEnds = false): string[] {
  const lines = text.match(line) ?? [];
  return keepEnds ? lines : lines.map((one) => one.replace(lineEnd, ''));
}

/** `str.replace(old, by, most)` */
export function replaced(text: string, old: string, by: string, most = -1): string {
  if (most < 0) return old === '' ? ['', ...text, ''].join(by) : text.replaceAll(old, () => by);
  const parts = old === '' ? ['', ...text, ''] : text.split(old);
  const count = Math.min(most, parts.length - 1);
  return (
    parts.slice(0, count + 1).join(by) +
    parts
      .slice(count + 1)
      .map((part) => old + part)
      .join('')
  );
}

export const capitalized = (text: string): string => {
  const [first = ''] = text;
  return first.toUpperCase() + text.slice(first.length).toLowerCase();
};

/** `str.title()` */
export const titled = (text: string): string => text.replace(/\p{L}+/gu, (word) => capitalized(word));

export const escapedHtml = (text: string): string =>
  text.replace(
    /[&<>'"]/g,
    (character) => `&${{ '&': 'amp', '<': 'lt', '>': 'gt', "'": '#39', '"': '#34' }[character]};`,
  );
