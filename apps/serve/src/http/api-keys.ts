// API keys: where the server's come from, and whether a request has one of them.
import { createHash, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { QuernError } from '@quern/errors';
import { ApiError } from '../api-error.ts';

export interface ApiKeyFlags {
  apiKey?: string[];
  apiKeyFile?: string;
}

/** Quern's own name of it, and llama-server's. */
const variables = ['QUERN_API_KEY', 'LLAMA_API_KEY'];

/**
 * Flags and the file together; the environment only where there are none of them.
 * @throws QuernError `usage-bad-api-key`, `serve-key-file`
 */
export function readApiKeys({ apiKey, apiKeyFile }: ApiKeyFlags, environment: NodeJS.ProcessEnv): string[] {
  const keys = [
    ...(apiKey ?? []).flatMap((list) => listed(list, '--api-key')),
    ...(apiKeyFile === undefined ? [] : keysOfFile(apiKeyFile)),
  ];
  if (keys.length > 0) return keys;
  const name = variables.find((variable) => environment[variable] !== undefined);
  return name === undefined ? [] : listed(environment[name]!, name);
}

const listed = (text: string, origin: string): string[] => text.split(',').map((key) => requireKey(key.trim(), origin));

/** One key a line. */
function keysOfFile(path: string): string[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    const message = `The file of API keys cannot be read: ${(cause as Error).message}.`;
    throw new QuernError('serve-key-file', message, { file: path, cause, remedy: 'Name a file with one key a line.' });
  }
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  const keys = lines.map((line) => line.trim()).filter((line) => line !== '');
  if (keys.length > 0) return keys.map((key) => requireKey(key, '--api-key-file'));
  // Without keys anybody would be let in.
  throw new QuernError('serve-key-file', 'The file of API keys has none.', {
    file: path,
    remedy: 'Write one key a line, or leave the flag out.',
  });
}

/** What a header can carry. */
function requireKey(key: string, origin: string): string {
  if (/^[\x21-\x7e]+$/.test(key)) return key;
  const what = key === '' ? 'is empty' : 'has blanks or letters that no HTTP header can carry';
  throw new QuernError('usage-bad-api-key', `A key of ${origin} ${what}.`, {
    remedy: 'Use letters, digits and signs of ASCII; separate several keys with commas.',
  });
}

/** Digests are of one length, so that comparing takes the same time for every key that is tried. */
const digest = (key: string): Buffer => createHash('sha256').update(key).digest();

/**
 * Lets a request pass that has one of `keys` as OpenAI's clients send it (`Authorization: Bearer`) or as Anthropic's do (`X-Api-Key`).
 * @throws ApiError 401
 */
export function keyCheck(keys: readonly string[]): (headers: Headers) => void {
  const wanted = keys.map(digest);
  return (headers) => {
    if (wanted.length === 0) return;
    const given = [headers.get('authorization')?.replace(/^Bearer +/i, ''), headers.get('x-api-key')];
    let known = false;
    for (const key of given) {
      const tried = digest(key ?? '');
      for (const each of wanted) known = timingSafeEqual(tried, each) || known;
    }
    if (known) return;
    const message = 'A valid API key is needed: send it as "Authorization: Bearer <key>" or as "X-Api-Key: <key>".';
    throw new ApiError(401, 'invalid_api_key', message, { headers: { 'www-authenticate': 'Bearer' } });
  };
}
