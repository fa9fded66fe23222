// The tokenizer's files in a checkpoint folder, read as JSON with errors that name file and field.

import { QuernError } from '@quern/errors';
import { parsePythonJson } from '@quern/source';

/** Files of a checkpoint by name; undefined when there is no such file. */
export interface CheckpointFiles {
  readText(name: string): Promise<string | undefined>;
  readBytes(name: string): Promise<Uint8Array | undefined>;
  /** Names for `readText` of what is in the folder additional_chat_templates, in order. */
  chatTemplates?(): Promise<readonly string[]>;
  /** Names of the files in the folder itself. */
  fileNames?(): Promise<readonly string[]>;
}

export type JsonObject = Record<string, unknown>;

/** The JSON object in a file, or undefined when there is no file. Throws `tokenizer-json-malformed`. */
export async function readJsonObject(files: CheckpointFiles, name: string): Promise<JsonObject | undefined> {
  const text = await files.readText(name);
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = parsePythonJson(text);
  } catch (cause) {
    throw malformed(name, `is not JSON: ${(cause as Error).message}`, cause);
  }
  return asObject(value, name, 'The file');
}

export function malformed(file: string, what: string, cause?: unknown): QuernError {
  return new QuernError('tokenizer-json-malformed', `${file} ${what}.`, {
    file,
    cause,
    remedy: 'Download the file again: it may be cut off, or a web page.',
  });
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function asObject(value: unknown, file: string, what: string): JsonObject {
  if (!isObject(value)) throw malformed(file, `is malformed: ${what} is not an object`);
  return value;
}

export function asArray(value: unknown, file: string, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw malformed(file, `is malformed: ${what} is not a list`);
  return value;
}

export function asString(value: unknown, file: string, what: string): string {
  if (typeof value !== 'string') throw malformed(file, `is malformed: ${what} is not a string`);
  return value;
}

/** A token id: an integer from 0 on. */
export function asId(value: unknown, file: string, what: string): number {
  if (isId(value)) return value;
  throw malformed(file, `is malformed: ${what} is not a token id`);
}

export const isId = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

const maxNesting = 100;

/** Steps in steps are read by functions that call themselves: no tokenizer has more than three levels. */
export function requireShallow(value: unknown, file: string, what: string): void {
  let level = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > maxNesting) throw malformed(file, `is malformed: ${what} has more than ${maxNesting} levels`);
    level = level.flatMap((each) => (typeof each === 'object' && each !== null ? Object.values(each) : []));
  }
}
