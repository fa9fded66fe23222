// Reading a quantization configuration: JSON that somebody else wrote, field by field.
import { QuernError } from '@quern/errors';

export type Settings = Readonly<Record<string, unknown>>;

export const isSettings = (value: unknown): value is Settings =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** @throws QuernError `packed-config-invalid` always */
export function configInvalid(message: string, remedy?: string): never {
  throw new QuernError('packed-config-invalid', `The quantization configuration is wrong: ${message}`, {
    file: 'config.json',
    remedy,
  });
}

/** An integer within `allowed`; `usual` when the key is absent or null. */
export function integerOf(settings: Settings, key: string, allowed: readonly number[], usual?: number): number {
  const value = settings[key] ?? usual;
  if (typeof value === 'number' && allowed.includes(value)) return value;
  return configInvalid(`${key} is ${JSON.stringify(value)}, and must be one of ${allowed.join(', ')}.`);
}

/** A group size: an integer from 1 to 2^20, or −1 (one group per row) where `wholeRow` allows it. */
export function groupSizeOf(settings: Settings, key: string, wholeRow: boolean, usual?: number): number {
  const value = settings[key] ?? usual;
  const fits = typeof value === 'number' && Number.isInteger(value) && value > 0 && value <= 2 ** 20;
  if (fits || (wholeRow && value === -1)) return value;
  return configInvalid(
    `${key} is ${JSON.stringify(value)}, and must be a positive integer${wholeRow ? ' or -1' : ''}.`,
  );
}

export function flagOf(settings: Settings, key: string, usual: boolean): boolean {
  const value = settings[key] ?? usual;
  if (typeof value === 'boolean') return value;
  return configInvalid(`${key} is ${JSON.stringify(value)}, and must be true or false.`);
}

/** A string in lower case; `usual` when the key is absent or null. */
export function wordOf(settings: Settings, key: string, usual: string): string {
  const value = settings[key] ?? usual;
  if (typeof value === 'string') return value.toLowerCase();
  return configInvalid(`${key} is ${JSON.stringify(value)}, and must be a string.`);
}

/** An object; empty when the key is absent or null. */
export function sectionOf(settings: Settings, key: string): Settings {
  const value = settings[key] ?? {};
  if (isSettings(value)) return value;
  return configInvalid(`${key} must be an object.`);
}

/** A list of strings; empty when the key is absent or null. */
export function namesOf(settings: Settings, key: string): readonly string[] {
  const value = settings[key] ?? [];
  if (Array.isArray(value) && value.every((name) => typeof name === 'string')) return value;
  return configInvalid(`${key} must be a list of strings.`);
}
