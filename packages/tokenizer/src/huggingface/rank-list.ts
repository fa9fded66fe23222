// Byte-level vocabularies as tiktoken keeps them: sequences of bytes, each with a rank that is its id and its urgency, and no
// list of merges. Sequences are written in the byte alphabet, one character a byte.
// Source: tiktoken 0.12 tiktoken/load.py (`base64 rank`, one a line).
import { QuernError } from '@quern/errors';
import { byteCharacters } from '../vocabulary/byte-level.ts';
import { malformed } from './checkpoint-files.ts';

/** Sequences in the byte alphabet and their ranks, by rank. */
export type RankList = ReadonlyMap<string, number>;

/** Several times the largest known, and little enough to hold. */
const maxTokens = 1 << 21;

/** Whether a file begins like such a list. */
export const looksLikeRankList = (bytes: Uint8Array): boolean =>
  /^[\w+/]+={0,2} \d+\r?\n/.test(new TextDecoder('latin1').decode(bytes.subarray(0, 2048)));

/** @throws QuernError `tokenizer-json-malformed`, `tokenizer-vocab-duplicate`, `tokenizer-vocab-too-large` */
export function parseRankList(bytes: Uint8Array, file: string): RankList {
  const text = new TextDecoder('latin1').decode(bytes);
  const entries: [text: string, rank: number][] = [];
  let line = 0;
  for (let at = 0; at < text.length; line++) {
    const found = text.indexOf('\n', at);
    const end = found < 0 ? text.length : found;
    const [, base64, rank] = /^([\w+/]*={0,2}) (\d{1,9})\r?$/.exec(text.slice(at, end)) ?? [];
    if (base64 !== undefined) entries.push([sequenceOf(base64, file, `line ${line + 1}`), Number(rank)]);
    else if (/\S/.test(text.slice(at, end))) throw malformed(file, `is malformed: line ${line + 1} is no token`);
    at = end + 1;
  }
  return rankList(entries, file);
}

/** @throws QuernError `tokenizer-vocab-duplicate`, `tokenizer-vocab-too-large`, `tokenizer-json-malformed` when it is empty */
export function rankList(entries: [text: string, rank: number][], file: string): RankList {
  entries.sort(([, a], [, b]) => a - b);
  const last = entries.at(-1)?.[1];
  if (last === undefined) throw malformed(file, 'is malformed: it has no tokens');
  if (last >= maxTokens) {
    throw new QuernError('tokenizer-vocab-too-large', `A token has the rank ${last}, beyond any vocabulary.`, {
      file,
      remedy: `Download ${file} again.`,
    });
  }
  const ranks = new Map<string, number>();
  let before = -1;
  for (const [text, rank] of entries) {
    const other =
      rank === before ? 'another token' : ranks.has(text) ? `the token of rank ${ranks.get(text)}` : undefined;
    if (other !== undefined) {
      throw new QuernError(
        'tokenizer-vocab-duplicate',
        `The token ${JSON.stringify(text)} of rank ${rank} has the ${rank === before ? 'rank' : 'bytes'} of ${other}.`,
        { file, remedy: `Download ${file} again.` },
      );
    }
    ranks.set(text, rank);
    before = rank;
  }
  return ranks;
}

/** Base64 to the byte alphabet. */
export function sequenceOf(base64: string, file: string, place: string): string {
  let bytes: string;
  try {
    bytes = atob(base64);
  } catch (cause) {
    throw malformed(file, `is malformed: ${place} is not base64`, cause);
  }
  if (bytes === '') throw malformed(file, `is malformed: ${place} is an empty token`);
  let text = '';
  for (let i = 0; i < bytes.length; i++) text += byteCharacters[bytes.charCodeAt(i)];
  return text;
}
