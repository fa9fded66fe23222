// `json.dumps`, as transformers gives it to templates.
import { printedFloat, printedInteger } from './print.ts';
import { spend } from './spending.ts';
import { Float, isDict, isText, type Key, rawText, TemplateError, Tuple, typeName, type Value } from './values.ts';

export interface JsonStyle {
  readonly asciiOnly: boolean;
  /** What one level is indented by; null: everything on one line. */
  readonly indent: string | null;
  readonly between: string;
  readonly behindKey: string;
  readonly sortKeys: boolean;
}

export function jsonText(value: Value, style: JsonStyle, level = 0): string {
  spend(1);
  if (isText(value)) return jsonString(rawText(value), style);
  if (value === null) return 'null';
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'number') return printedInteger(value);
  if (value instanceof Float) return jsonFloat(value.value);
  if (Array.isArray(value) || value instanceof Tuple) {
    const items = Array.isArray(value) ? value : value.items;
    return enclosed(
      '[',
      items.map((item) => jsonText(item, style, level + 1)),
      ']',
      style,
      level,
    );
  }
  if (!isDict(value)) throw new TemplateError(`Object of type ${typeName(value)} is not JSON serializable`);
  const entries = [...value].map(([key, item]) => [keyText(key), item] as const);
  if (style.sortKeys) entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  const fields = entries.map(
    ([key, item]) => jsonString(key, style) + style.behindKey + jsonText(item, style, level + 1),
  );
  return enclosed('{', fields, '}', style, level);
}

function enclosed(open: string, items: readonly string[], close: string, style: JsonStyle, level: number): string {
  const { indent, between } = style;
  if (indent === null || items.length === 0) return open + items.join(between) + close;
  spend(0, (items.length + 1) * indent.length * (level + 1));
  const line = `\n${indent.repeat(level + 1)}`;
  return `${open}${line}${items.join(between + line)}\n${indent.repeat(level)}${close}`;
}

function keyText(key: Key): string {
  if (typeof key === 'number') return printedInteger(key);
  return key === null ? 'null' : String(key);
}

function jsonString(text: string, { asciiOnly }: JsonStyle): string {
  spend(0, text.length);
  const written = JSON.stringify(text);
  if (!asciiOnly) return written;
  return written.replace(/[\x7f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function jsonFloat(value: number): string {
  if (Number.isFinite(value)) return printedFloat(value);
  return Number.isNaN(value) ? 'NaN' : value > 0 ? 'Infinity' : '-Infinity';
}
