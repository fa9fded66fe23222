// The bytes of one entry of a zip archive as a source. A stored entry is a range of the file; a deflated one is inflated
// once, when it is first read, and stays in memory until the source is closed.
import { QuernError } from '@quern/errors';
import type { Source } from '@quern/source';
import { Inflate } from 'fflate';
import { crc32 } from './crc32.ts';
import type { ZipEntry } from './directory.ts';

const stepBytes = 2 ** 20;
/** 258 bytes cost two bits or more. */
const largestRatio = 1032;

/** Memory that inflated entries may take, shared by all entries of a file: torch.save stores, others may deflate. */
export interface InflateBudget {
  left: number;
}

export const inflateBudget = (bytes = 2 ** 30): InflateBudget => ({ left: bytes });

/** `begin` counts in `source`: the file itself when the entry is stored. Closing it is the owner's of the file. */
export interface EntryBytes {
  readonly source: Source;
  readonly begin: number;
}

/** @throws QuernError (when read) `zip-too-large`, `zip-bad-data`, and those of the file */
export function entryBytes(file: Source, entry: ZipEntry, budget: InflateBudget): EntryBytes {
  if (entry.compression === 'stored') return { source: file, begin: entry.begin };
  let inflated: Promise<Uint8Array> | undefined;
  const all = (): Promise<Uint8Array> => {
    inflated ??= inflate(file, entry, budget);
    return inflated;
  };
  const readInto = async (target: Uint8Array, offset: number): Promise<void> => {
    if (offset < 0 || offset + target.length > entry.bytes)
      throw new QuernError('source-out-of-range', `Wanted ${target.length} bytes of ${entry.name}.`, {
        file: file.name,
        offset,
      });
    target.set((await all()).subarray(offset, offset + target.length));
  };
  const source: Source = {
    name: file.name,
    size: entry.bytes,
    readInto,
    async read(offset, length) {
      const bytes = new Uint8Array(length);
      await readInto(bytes, offset);
      return bytes;
    },
    close: async () => {},
  };
  return { source, begin: 0 };
}

/** Step by step, so that an entry that inflates to more than it claims is stopped before it fills the memory. */
async function inflate(file: Source, entry: ZipEntry, budget: InflateBudget): Promise<Uint8Array> {
  const place = { file: file.name, offset: entry.begin };
  const wrong = (why: string, cause?: unknown): QuernError =>
    new QuernError('zip-bad-data', `${entry.name} ${why}.`, { ...place, cause, remedy: 'Fetch the file again.' });
  if (entry.bytes > budget.left)
    throw new QuernError('zip-too-large', `${entry.name} is deflated and has ${entry.bytes} bytes once inflated.`, {
      ...place,
      remedy: 'Save the checkpoint again with torch.save, which does not deflate, or as safetensors.',
    });
  if (entry.bytes > entry.packedBytes * largestRatio + 64)
    throw wrong(`claims ${entry.bytes} bytes, more than ${entry.packedBytes} can inflate to`);
  budget.left -= entry.bytes;
  const out = new Uint8Array(entry.bytes);
  let done = 0;
  const inflater = new Inflate((chunk) => {
    if (done + chunk.length > out.length) throw wrong(`inflates to more than the ${entry.bytes} bytes it claims`);
    out.set(chunk, done);
    done += chunk.length;
  });
  for (let at = 0; at < entry.packedBytes; at += stepBytes) {
    const step = await file.read(entry.begin + at, Math.min(stepBytes, entry.packedBytes - at));
    try {
      inflater.push(step, at + stepBytes >= entry.packedBytes);
    } catch (cause) {
      if (cause instanceof QuernError) throw cause;
      throw wrong('is no deflated data', cause);
    }
  }
  if (done !== out.length) throw wrong(`inflates to ${done} of the ${entry.bytes} bytes it claims`);
  if (crc32(out) !== entry.crc) throw wrong('does not match its checksum');
  return out;
}
