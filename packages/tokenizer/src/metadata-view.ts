// Typed reads from GGUF metadata. The view is structural, so that this package needs no GGUF reader.

import { QuernError } from '@quern/errors';

/** GGUF metadata as any reader may hand it over: arrays are `{type: 'array', value: [...]}`, 64-bit integers bigint. */
export type MetadataView = ReadonlyMap<string, { type: string; value: unknown }>;

const remedy = 'Convert the model again, or take the file from another source.';

function wrongType(key: string, wanted: string, found: string): QuernError {
  return new QuernError('tokenizer-metadata-type', `Metadata key ${key} is ${found}, not ${wanted}.`, { remedy });
}

export function readString(metadata: MetadataView, key: string): string | undefined {
  const entry = metadata.get(key);
  if (!entry) return undefined;
  if (typeof entry.value !== 'string') throw wrongType(key, 'a string', entry.type);
  return entry.value;
}

export function readBoolean(metadata: MetadataView, key: string): boolean | undefined {
  const entry = metadata.get(key);
  if (!entry) return undefined;
  if (typeof entry.value !== 'boolean') throw wrongType(key, 'a bool', entry.type);
  return entry.value;
}

export function readInteger(metadata: MetadataView, key: string): number | undefined {
  const entry = metadata.get(key);
  if (!entry) return undefined;
  const value = typeof entry.value === 'bigint' ? Number(entry.value) : entry.value;
  if (!Number.isSafeInteger(value)) throw wrongType(key, 'an integer', entry.type);
  return value as number;
}

export function readStrings(metadata: MetadataView, key: string): readonly string[] | undefined {
  return readArray(metadata, key, 'strings', (value): value is string => typeof value === 'string');
}

export function readNumbers(metadata: MetadataView, key: string): readonly number[] | undefined {
  return readArray(metadata, key, 'numbers', (value): value is number => typeof value === 'number');
}

function readArray<T>(
  metadata: MetadataView,
  key: string,
  what: string,
  is: (value: unknown) => value is T,
): readonly T[] | undefined {
  const entry = metadata.get(key);
  if (!entry) return undefined;
  if (!Array.isArray(entry.value)) throw wrongType(key, `an array of ${what}`, entry.type);
  for (const value of entry.value) {
    if (!is(value)) throw wrongType(key, `an array of ${what}`, `an array with a ${typeof value}`);
  }
  return entry.value;
}
