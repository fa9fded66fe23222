// Texts with holes: `'%s: %d' % (…)` and `'{}'.format(…)`.
import { printed, repr } from './print.ts';
import {
  isDict,
  isNumber,
  keyOf,
  type NamedValues,
  numberOf,
  TemplateError,
  Tuple,
  typeName,
  type Value,
} from './values.ts';

const directive = /%(?:\((\w+)\))?([-0+ #]*)(\d*)(?:\.(\d+))?([a-zA-Z%])?/g;
const mostWidth = 1000;

/** `text % values` */
export function formatPercent(text: string, values: Value): string {
  const placed = values instanceof Tuple ? [...values.items] : [values];
  let used = 0;
  const written = text.replace(directive, (_, key: string | undefined, flags: string, width: string, digits, kind) => {
    if (kind === '%') return '%';
    if (kind === undefined) throw new TemplateError('incomplete format');
    const value = key === undefined ? placed[used++] : isDict(values) ? values.get(keyOf(key)) : undefined;
    if (value === undefined) throw new TemplateError('not enough arguments for format string');
    if (Number(width) > mostWidth) throw new TemplateError(`a width of ${width} is too much`);
    const body = one(kind, value, digits as string | undefined);
    const signed = flags.includes('+') && isNumber(value) && numberOf(value) >= 0 ? `+${body}` : body;
    if (flags.includes('-')) return signed.padEnd(Number(width));
    return flags.includes('0') && isNumber(value) ? padded(signed, Number(width)) : signed.padStart(Number(width));
  });
  if (used < placed.length && !isDict(values))
    throw new TemplateError('not all arguments converted during string formatting');
  return written;
}

function one(kind: string, value: Value, digits: string | undefined): string {
  if (kind === 's' || kind === 'r') {
    const text = kind === 's' ? printed(value) : repr(value);
    return digits === undefined ? text : [...text].slice(0, Number(digits)).join('');
  }
  if (!isNumber(value)) throw new TemplateError(`%${kind} format: a real number is required, not ${typeName(value)}`);
  const number = numberOf(value);
  if (kind === 'd' || kind === 'i') return String(Math.trunc(number));
  if (kind === 'f' || kind === 'F') return number.toFixed(Math.min(Number(digits ?? 6), 100));
  if (kind === 'x') return Math.trunc(number).toString(16);
  throw new TemplateError(`unsupported format character '${kind}'`);
}

const padded = (number: string, width: number): string =>
  /^[-+]/.test(number) ? number[0] + number.slice(1).padStart(width - 1, '0') : number.padStart(width, '0');

/** `str.format` with fields `{}`, `{0}` and `{name}`; widths and conversions are refused. */
export function formatBraces(text: string, placed: readonly Value[], named: NamedValues): string {
  let next = 0;
  return text.replace(/\{\{|\}\}|\{([^{}]*)\}|[{}]/g, (found, field: string | undefined) => {
    if (found === '{{' || found === '}}') return found[0]!;
    if (field === undefined) throw new TemplateError(`Single '${found}' encountered in format string`);
    if (!/^(\d+|[A-Za-z_]\w*)?$/.test(field)) {
      throw new TemplateError(`str.format: the field {${field}} is not supported`);
    }
    const value = field === '' ? placed[next++] : /^\d/.test(field) ? placed[Number(field)] : named.get(field);
    if (value === undefined) throw new TemplateError(`str.format: there is no value for {${field}}`);
    return printed(value);
  });
}
