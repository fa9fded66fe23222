// A part: what one shard writes. Its first 4096 bytes say which bytes of which file follow:
//   QUERN-PART {"version":1,"identity":"<sha-256>","shard":3,"of":8,"begin":…,"end":…,"fileBytes":…}\n, spaces, bytes
// Parts of one file have the same identity, which changes with anything that changes its bytes.
import { open, stat } from 'node:fs/promises';
import { QuernError } from '@quern/errors';

export const partHeaderBytes = 4096;
const magic = 'QUERN-PART ';
const version = 1;

export interface PartHeader {
  readonly identity: string;
  readonly shard: number;
  readonly of: number;
  readonly begin: number;
  readonly end: number;
  readonly fileBytes: number;
}

export function partHeader(header: PartHeader): Uint8Array {
  const text = `${magic}${JSON.stringify({ version, ...header })}\n`;
  return new TextEncoder().encode(text.padEnd(partHeaderBytes, ' '));
}

/** `out.gguf.part-00003-of-00008`. */
export const partName = (path: string, index: number, count: number): string =>
  `${path}.part-${String(index).padStart(5, '0')}-of-${String(count).padStart(5, '0')}`;

/** @throws QuernError `part-not-readable`, `part-not-recognized` also when it is not complete */
export async function readPartHeader(path: string): Promise<PartHeader> {
  const unrecognized = (why: string, cause?: unknown) =>
    new QuernError('part-not-recognized', `This is no part that quern wrote: ${why}.`, { file: path, cause });
  const bytes = new Uint8Array(partHeaderBytes);
  try {
    const file = await open(path, 'r');
    try {
      await file.read(bytes, 0, partHeaderBytes, 0);
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw new QuernError('part-not-readable', `Cannot read: ${(cause as Error).message}.`, { file: path, cause });
  }
  const text = new TextDecoder().decode(bytes);
  if (!text.startsWith(magic)) throw unrecognized('it does not begin like one');
  const header = parse(text.slice(magic.length), unrecognized);
  const { size } = await stat(path);
  if (size !== partHeaderBytes + header.end - header.begin)
    throw unrecognized(`it has ${size} bytes, not ${partHeaderBytes + header.end - header.begin}`);
  return header;
}

function parse(text: string, unrecognized: (why: string, cause?: unknown) => QuernError): PartHeader {
  let value: PartHeader & { version: unknown };
  try {
    value = JSON.parse(text) ?? {};
  } catch (cause) {
    throw unrecognized('its first line is not complete', cause);
  }
  const { shard, of, begin, end, fileBytes, identity } = value;
  const numbers = [shard, of, begin, end, fileBytes].every((n) => Number.isSafeInteger(n) && n >= 0);
  const sane = numbers && begin <= end && end <= fileBytes && shard >= 1 && shard <= of && typeof identity === 'string';
  if (value.version !== version || !sane) throw unrecognized('its first line makes no sense');
  return { identity, shard, of, begin, end, fileBytes };
}
