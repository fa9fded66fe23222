// What records throw when config.json contradicts itself; the lens adds the file.
import { QuernError } from '@quern/errors';
import type { Json } from './config-rule.ts';

/** A config value for a message: short, and unmistakable (`"64"` is not `64`). */
export function show(value: unknown): string {
  // JSON would write NaN, which Python's JSON has, as null.
  const text = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? String(value));
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

export function configError(why: string): QuernError {
  return new QuernError('config-bad-value', `config.json: ${why}.`);
}

export const isAbsent = (value: unknown): value is undefined | null => value === undefined || value === null;

/** The value of a key; dots lead into objects. */
export const valueAt = (config: Json, path: string): unknown =>
  path.split('.').reduce<unknown>((value, key) => (isObject(value) ? value[key] : undefined), config);

export const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

interface CountRange {
  readonly min?: number;
  readonly max?: number;
  /** When the key is absent; without it the key is needed. */
  readonly missing?: number;
}

/** A whole number of config.json, checked. */
export function count(config: Json, key: string, { min = 1, max = 2 ** 24, missing }: CountRange = {}): number {
  const value: unknown = config[key] ?? missing;
  if (Number.isInteger(value) && (value as number) >= min && (value as number) <= max) return value as number;
  throw configError(`"${key}" is ${show(value)} (needed: an integer from ${min} to ${max})`);
}

/**
 * A list with one entry for each block, or undefined when the key is absent.
 * @throws QuernError `config-bad-value` when it has another length
 */
export function perBlock<T>(config: Json, key: string, layers?: number): T[] | undefined {
  const list: unknown = config[key];
  if (isAbsent(list)) return undefined;
  const blocks = layers ?? count(config, 'num_hidden_layers');
  if (!Array.isArray(list)) throw configError(`"${key}" is ${show(list)}, a list is needed`);
  if (list.length === blocks) return list;
  throw configError(`"${key}" has ${list.length} entries for ${blocks} layers`);
}
