// Opening one safetensors file. Reads the 8-byte length and the header, nothing else.
import type { DType } from '@quern/blocks';
import { QuernError } from '@quern/errors';
import type { Source } from '@quern/source';
import { type Header, maxHeaderBytes, parseHeader } from './header.ts';

/** Where one tensor's bytes lie. */
export interface SafetensorsTensor {
  readonly name: string;
  readonly dtype: DType;
  /** Row-major, innermost dimension last; `[]` for a scalar. */
  readonly shape: readonly number[];
  /** Absolute byte range in `source`: `end - begin` bytes, proved to match dtype and shape. */
  readonly begin: number;
  readonly end: number;
  readonly source: Source;
  /** The name that the file has it under, when this is another one of the same tensor (`openParts`). */
  readonly aliasOf?: string;
}

export interface Safetensors {
  /** `__metadata__`; of the first file when there are shards. */
  readonly metadata: ReadonlyMap<string, string>;
  /** In header order, shard after shard. */
  readonly tensors: ReadonlyMap<string, SafetensorsTensor>;
  /** The files behind it, by name. */
  readonly files: readonly string[];
  /** Closes the source(s). */
  close(): Promise<void>;
}

/**
 * Reads and proves the header of one file. On an error the source stays open: it is the caller's.
 * @throws QuernError `safetensors-*`, see docs/formats/safetensors.md.
 */
export async function openSafetensors(source: Source): Promise<Safetensors> {
  const { name: file, size } = source;
  if (size < 8) {
    throw new QuernError('safetensors-truncated', `A file of ${size} bytes has no header.`, { file, offset: 0 });
  }
  const prefix = await source.read(0, 8);
  const declared = new DataView(prefix.buffer, prefix.byteOffset).getBigUint64(0, true);
  if (declared > BigInt(maxHeaderBytes)) {
    throw new QuernError('safetensors-header-too-large', `The header claims ${declared} bytes.`, {
      file,
      offset: 0,
      remedy: `At most ${maxHeaderBytes} are allowed. Is this a safetensors file?`,
    });
  }
  const headerBytes = Number(declared);
  if (8 + headerBytes > size) {
    throw new QuernError('safetensors-truncated', `The header claims ${headerBytes} bytes, the file has ${size}.`, {
      file,
      offset: 0,
      remedy: 'The file is incomplete: fetch it again.',
    });
  }
  const { metadata, entries } = await headerOf(source, headerBytes);
  return {
    metadata,
    tensors: new Map(entries.map((entry) => [entry.name, { ...entry, source }])),
    files: [file],
    close: () => source.close(),
  };
}

/** The header, proved. Shards that somebody joined with `cat` are told from a file with something behind it. */
async function headerOf(source: Source, headerBytes: number): Promise<Header> {
  try {
    return parseHeader(await source.read(8, headerBytes), source.size, source.name);
  } catch (error) {
    const end = error instanceof QuernError && error.code === 'safetensors-trailing-data' ? error.offset : undefined;
    if (end === undefined || source.size - end < 10) throw error;
    const next = await source.read(end, 9);
    const length = new DataView(next.buffer, next.byteOffset).getBigUint64(0, true);
    if (next[8] !== 0x7b || length > BigInt(source.size - end - 8)) throw error;
    throw new QuernError('safetensors-joined', 'Another safetensors file begins behind the last tensor.', {
      file: source.name,
      offset: end,
      remedy: 'Shards are not joined with cat: put them side by side into one folder and give the folder.',
      cause: error,
    });
  }
}
