// Numbers of tokens that a tower's file needs, from the tokenizer's files.
import { join } from 'node:path';
import type { HfCheckpoint } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import { parsePythonJson } from '@quern/source';
import { isObject } from '../arch/config-error.ts';

/** Added tokens of tokenizer_config.json, then those of tokenizer.json. */
export async function tokenIds(
  checkpoint: Pick<HfCheckpoint, 'path' | 'readText'>,
): Promise<(text: string) => number | undefined> {
  const ids = new Map<string, number>();
  const add = (id: unknown, text: unknown) => {
    const number = Number(id);
    if (typeof text === 'string' && Number.isInteger(number) && number >= 0 && !ids.has(text)) ids.set(text, number);
  };
  const config = await jsonOf(checkpoint, 'tokenizer_config.json');
  for (const [id, token] of Object.entries(config.added_tokens_decoder ?? {}))
    add(id, isObject(token) ? token.content : undefined);
  const { added_tokens: tokens } = await jsonOf(checkpoint, 'tokenizer.json');
  for (const token of Array.isArray(tokens) ? tokens : []) if (isObject(token)) add(token.id, token.content);
  return (text) => ids.get(text);
}

async function jsonOf({ path, readText }: Pick<HfCheckpoint, 'path' | 'readText'>, name: string) {
  const text = await readText(name);
  if (text === undefined) return {};
  try {
    const value = parsePythonJson(text);
    return isObject(value) ? value : {};
  } catch (cause) {
    throw new QuernError('tokenizer-json-malformed', 'The file is not JSON.', { file: join(path, name), cause });
  }
}
