// Importance matrices in GGUF (llama.cpp tools/imatrix save_imatrix, common/imatrix-loader):
//   general.type "imatrix" | imatrix.datasets [string] | imatrix.chunk_count u32 | imatrix.chunk_size u32
//   per weight, by name: <weight>.in_sum2 F32 [matrices, width] and <weight>.counts F32 [matrices, 1]; without the first
//   axis when there is one matrix
import { dtypeByName } from '@quern/blocks';
import { QuernError } from '@quern/errors';
import { type GgufMetadata, type GgufTensor, type GgufTensorPlan, GgufWriter, openGguf } from '@quern/gguf';
import type { Source } from '@quern/source';
import {
  checkEntry,
  entryMissing,
  type ImportanceEntry,
  type ImportanceMatrix,
  sortedEntries,
} from './importance-matrix.ts';
import type { EntryShape, ImatrixFile } from './open-imatrix.ts';

const keys = {
  type: 'general.type',
  datasets: 'imatrix.datasets',
  chunkCount: 'imatrix.chunk_count',
  chunkSize: 'imatrix.chunk_size',
} as const;
const sumsSuffix = '.in_sum2';
const countsSuffix = '.counts';

interface Pair {
  readonly sums: GgufTensor;
  readonly counts: GgufTensor;
}

/** `source` belongs to the result. */
export async function openGgufImatrix(source: Source): Promise<ImatrixFile> {
  const gguf = await openGguf(source);
  const header = readMetadata(gguf.metadata, source.name);
  const pairs = pairUp(gguf.tensors, source.name);
  const shapes = new Map<string, EntryShape>();
  for (const [name, { sums, counts }] of pairs)
    shapes.set(name, { matrices: counts.byteLength / 4, length: sums.byteLength / 4 });
  return {
    path: source.name,
    format: 'gguf',
    ...header,
    entries: shapes,
    async read(name) {
      const pair = pairs.get(name);
      if (!pair) throw entryMissing(source.name, name);
      const entry: ImportanceEntry = { sums: await readFloats(pair.sums), counts: await readFloats(pair.counts) };
      checkEntry(entry, name, source.name);
      return entry;
    },
    close: () => gguf.close(),
  };
}

function readMetadata(metadata: GgufMetadata, file: string) {
  const type = metadata.get(keys.type)?.value;
  if (type !== undefined && type !== 'imatrix')
    throw new QuernError('imatrix-not-recognized', `The file is a GGUF of type ${JSON.stringify(type)}.`, {
      file,
      remedy: 'Give a file that quern calibrate or llama-imatrix wrote.',
    });
  const datasets = metadata.get(keys.datasets);
  const counts = [keys.chunkCount, keys.chunkSize].map((key) => metadata.get(key));
  if (datasets?.type !== 'array' || datasets.of !== 'string' || counts.some((value) => value?.type !== 'uint32'))
    throw new QuernError(
      'imatrix-metadata-missing',
      `The file lacks ${Object.values(keys).slice(1).join(', ')}: it is no importance matrix.`,
      { file, remedy: 'Give a file that quern calibrate or llama-imatrix wrote.' },
    );
  const [chunkCount, chunkSize] = counts.map((value) => value!.value as number) as [number, number];
  return { datasets: datasets.value as readonly string[], chunkCount, chunkSize };
}

function pairUp(tensors: ReadonlyMap<string, GgufTensor>, file: string): Map<string, Pair> {
  const halves = new Map<string, Partial<Pair>>();
  for (const tensor of tensors.values()) {
    const suffix = [sumsSuffix, countsSuffix].find((end) => tensor.name.endsWith(end));
    if (!suffix) continue; // llama.cpp reads past what it does not know, so that the format can grow
    if (tensor.dtype.name !== 'F32')
      throw new QuernError('imatrix-bad-type', `The numbers are ${tensor.dtype.name}; they must be F32.`, {
        file,
        tensor: tensor.name,
        offset: tensor.offset,
      });
    const name = tensor.name.slice(0, -suffix.length);
    halves.set(name, { ...halves.get(name), [suffix === sumsSuffix ? 'sums' : 'counts']: tensor });
  }
  if (halves.size === 0) throw new QuernError('imatrix-empty', 'The file has no entries.', { file });
  const pairs = new Map<string, Pair>();
  for (const [name, { sums, counts }] of halves) {
    if (!sums || !counts)
      throw new QuernError('imatrix-half-entry', `The entry lacks its ${sums ? countsSuffix : sumsSuffix}.`, {
        file,
        tensor: name,
      });
    if (counts.byteLength === 0 || sums.byteLength === 0 || sums.byteLength % counts.byteLength !== 0)
      throw new QuernError('imatrix-bad-shape', `Sums [${sums.shape}] cannot belong to counts [${counts.shape}].`, {
        file,
        tensor: name,
        offset: sums.offset,
      });
    pairs.set(name, { sums, counts });
  }
  return pairs;
}

async function readFloats({ source, offset, byteLength }: GgufTensor): Promise<Float32Array> {
  const floats = new Float32Array(byteLength / 4);
  await source.readInto(new Uint8Array(floats.buffer), offset);
  return floats;
}

/**
 * Writes a GGUF importance matrix: the bytes that llama-imatrix writes for the same content. The file has its name only
 * when complete.
 * @param more pairs to add after the usual ones
 * @throws QuernError `imatrix-bad-…` for entries that make no sense, and those of `GgufWriter`
 */
export async function writeGgufImatrix(
  path: string,
  matrix: ImportanceMatrix,
  more: GgufMetadata = new Map(),
): Promise<void> {
  const entries = sortedEntries(matrix.entries);
  for (const [name, entry] of entries) checkEntry(entry, name);
  const metadata: GgufMetadata = new Map([
    [keys.type, { type: 'string', value: 'imatrix' }],
    [keys.datasets, { type: 'array', of: 'string', value: matrix.datasets }],
    [keys.chunkCount, { type: 'uint32', value: matrix.chunkCount }],
    [keys.chunkSize, { type: 'uint32', value: matrix.chunkSize }],
    ...more,
  ]);
  const writer = await GgufWriter.create(path, { metadata, tensors: [...entries].flatMap(plansOf) });
  try {
    for (const [name, { sums, counts }] of entries) {
      await writer.write(name + sumsSuffix, bytesOf(sums));
      await writer.write(name + countsSuffix, bytesOf(counts));
    }
    await writer.finish();
  } catch (error) {
    await writer.abort();
    throw error;
  }
}

function plansOf([name, { sums, counts }]: [string, ImportanceEntry]): GgufTensorPlan[] {
  const dtype = dtypeByName('F32');
  const matrices = counts.length;
  const width = sums.length / matrices;
  return [
    { name: name + sumsSuffix, dtype, shape: matrices > 1 ? [matrices, width] : [width] },
    { name: name + countsSuffix, dtype, shape: matrices > 1 ? [matrices, 1] : [1] },
  ];
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array) => new Uint8Array(buffer, byteOffset, byteLength);
