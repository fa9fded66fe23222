// The importance matrix format before GGUF (llama.cpp tools/imatrix save_imatrix_legacy), little-endian:
//   i32 entries | per entry: i32 length, name | i32 calls | i32 n, f32[n] mean of x² · calls
//   then, in all but the oldest files: i32 chunks | i32 length, name of the text
// calls = chunks the weight saw, rounded up. Experts are not counted one by one.
import { QuernError } from '@quern/errors';
import type { Source } from '@quern/source';
import {
  checkEntry,
  entryMissing,
  type ImportanceEntry,
  type ImportanceMatrix,
  sortedEntries,
} from './importance-matrix.ts';
import type { ImatrixFile } from './open-imatrix.ts';

/** Names are a few dozen bytes, paths of texts a few hundred. */
const maxNameBytes = 4096;

interface Place {
  readonly calls: number;
  readonly length: number;
  readonly offset: number;
}

/** `source` belongs to the result. */
export async function openLegacyImatrix(source: Source): Promise<ImatrixFile> {
  const file = source.name;
  const reader = new Reader(source);
  const entryCount = await reader.count('number of entries', 1, source.size / minEntryBytes);
  const places = new Map<string, Place>();
  for (let i = 0; i < entryCount; i++) {
    const name = await reader.text();
    if (places.has(name))
      throw new QuernError('imatrix-duplicate-entry', 'Two entries have this name.', { file, tensor: name });
    const calls = await reader.count('number of calls', 0, 2 ** 31 - 1);
    const length = await reader.count('number of values', 1, source.size / 4);
    places.set(name, { calls, length, offset: reader.offset });
    reader.skip(4 * length);
  }
  const { chunkCount, datasets } = await readTrailer(reader);
  return {
    path: file,
    format: 'dat',
    datasets,
    chunkCount,
    chunkSize: 0,
    entries: new Map([...places].map(([name, { length }]) => [name, { matrices: 1, length }])),
    async read(name) {
      const place = places.get(name);
      if (!place) throw entryMissing(file, name);
      const sums = new Float32Array(place.length);
      await source.readInto(new Uint8Array(sums.buffer), place.offset);
      // No calls: the values are taken as they are (as llama-quantize does).
      const entry: ImportanceEntry = { sums, counts: Float32Array.of(Math.max(1, place.calls)) };
      checkEntry(entry, name, file);
      return entry;
    },
    close: () => source.close(),
  };
}

/** length 0, calls, one value. */
const minEntryBytes = 16;

async function readTrailer(reader: Reader): Promise<{ chunkCount: number; datasets: string[] }> {
  if (reader.left === 0) return { chunkCount: 0, datasets: [] };
  const chunkCount = await reader.count('number of chunks', 0, 2 ** 31 - 1);
  const dataset = await reader.text();
  if (reader.left > 0) throw reader.broken(`${reader.left} bytes follow its end`);
  return { chunkCount, datasets: dataset ? [dataset] : [] };
}

class Reader {
  offset = 0;
  private readonly source: Source;

  constructor(source: Source) {
    this.source = source;
  }

  get left(): number {
    return this.source.size - this.offset;
  }

  async count(what: string, min: number, max: number): Promise<number> {
    const at = this.offset;
    const bytes = await this.take(4);
    const value = new DataView(bytes.buffer, bytes.byteOffset).getInt32(0, true);
    if (value >= min && value <= max) return value;
    throw this.broken(`its ${what} at ${at} is ${value}`);
  }

  async text(): Promise<string> {
    const bytes = await this.take(await this.count('name length', 0, maxNameBytes));
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    } catch {
      throw this.broken('a name is not UTF-8');
    }
  }

  skip(bytes: number): void {
    if (bytes > this.left) {
      throw new QuernError('imatrix-truncated', `The file ends ${bytes - this.left} bytes early.`, {
        file: this.source.name,
        offset: this.offset,
        remedy: 'The file is incomplete: fetch or make it again.',
      });
    }
    this.offset += bytes;
  }

  broken(what: string): QuernError {
    return new QuernError('imatrix-not-recognized', `The file is no importance matrix: ${what}.`, {
      file: this.source.name,
      offset: this.offset,
      remedy: 'Give a file that quern calibrate or llama-imatrix wrote.',
    });
  }

  private take(bytes: number): Promise<Uint8Array> {
    const at = this.offset;
    this.skip(bytes);
    return this.source.read(at, bytes);
  }
}

/**
 * The bytes of the legacy format. Entries that saw no token are left out and experts without any are written as 1, as
 * llama-imatrix does.
 * @param matrix with its `chunkSize`: the format counts in chunks
 * @throws QuernError `imatrix-chunk-size-unknown`, `imatrix-empty`
 */
export function encodeLegacyImatrix(matrix: ImportanceMatrix): Uint8Array {
  const { chunkSize, chunkCount, datasets } = matrix;
  if (chunkSize < 1)
    throw new QuernError(
      'imatrix-chunk-size-unknown',
      'The legacy format counts in chunks, and their size is not known.',
    );
  const stored = [...sortedEntries(matrix.entries)].filter(([, { counts }]) => counts.some((count) => count > 0));
  if (stored.length === 0) throw new QuernError('imatrix-empty', 'No weight has seen a token.');
  const parts: Uint8Array[] = [int32(stored.length)];
  for (const [name, entry] of stored) {
    const calls = Math.ceil(Math.max(...entry.counts) / chunkSize);
    parts.push(...textParts(name), int32(calls), int32(entry.sums.length), meansTimes(entry, calls));
  }
  parts.push(int32(chunkCount), ...textParts(datasets.at(-1) ?? ''));
  return concatenate(parts);
}

function meansTimes({ sums, counts }: ImportanceEntry, calls: number): Uint8Array {
  const width = sums.length / counts.length;
  const values = sums.map((sum, i) => {
    const count = counts[Math.floor(i / width)]!;
    return (count > 0 ? Math.fround(sum / count) : 1) * calls;
  });
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

const int32 = (value: number): Uint8Array => new Uint8Array(Int32Array.of(value).buffer);

function textParts(text: string): [Uint8Array, Uint8Array] {
  const bytes = new TextEncoder().encode(text);
  return [int32(bytes.length), bytes];
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
