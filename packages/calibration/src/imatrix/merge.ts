// Several measurements of one model as one: sums and counts add up (llama-imatrix --in-file).
import { QuernError } from '@quern/errors';
import { type ImportanceEntry, type ImportanceMatrix, sortedEntries } from './importance-matrix.ts';

export interface NamedMatrix {
  /** Path it was read from, for messages. */
  readonly file: string;
  readonly matrix: ImportanceMatrix;
}

/**
 * In the order given, in f32. A weight that only some of them have keeps what those say.
 * @param chunkSize tokens per chunk of the result, and of legacy files, which do not say. Default: the first that is known
 * @throws QuernError `imatrix-other-model` when a weight has different widths; `imatrix-chunk-size-unknown`
 */
export function mergeImatrices(parts: readonly NamedMatrix[], chunkSize = knownChunkSize(parts)): ImportanceMatrix {
  const merged = new Map<string, ImportanceEntry>();
  for (const { file, matrix } of parts) {
    for (const [name, entry] of matrix.entries) {
      const rows = matrix.chunkSize === 0 ? inRows(entry, requireChunkSize(chunkSize, file)) : entry;
      const before = merged.get(name);
      merged.set(name, before ? add(before, rows, name, file) : rows);
    }
  }
  const size = requireChunkSize(chunkSize, parts[0]?.file);
  const mostRows = [...merged.values()].reduce((most, { counts }) => Math.max(most, ...counts), 0);
  return {
    datasets: parts.flatMap(({ matrix }) => matrix.datasets),
    chunkCount: Math.floor(mostRows / size),
    chunkSize: size,
    entries: sortedEntries(merged),
  };
}

const knownChunkSize = (parts: readonly NamedMatrix[]) =>
  parts.find(({ matrix }) => matrix.chunkSize > 0)?.matrix.chunkSize;

/** Legacy sums and counts are in chunks. */
function inRows({ sums, counts }: ImportanceEntry, chunkSize: number): ImportanceEntry {
  return { sums: sums.map((sum) => sum * chunkSize), counts: counts.map((count) => count * chunkSize) };
}

function add(a: ImportanceEntry, b: ImportanceEntry, tensor: string, file: string): ImportanceEntry {
  const matrices = Math.max(a.counts.length, b.counts.length);
  const sizesAgree = [a, b].every(({ counts }) => counts.length === 1 || counts.length === matrices);
  if (a.sums.length !== b.sums.length || !sizesAgree || a.sums.length % matrices !== 0)
    throw new QuernError(
      'imatrix-other-model',
      `The entry has ${describe(b)}, in the files before it ${describe(a)}.`,
      { file, tensor, remedy: 'Merge only importance matrices of one model.' },
    );
  // One count for a whole stack of experts, as old files have it, holds for each of them.
  const countOf = ({ counts }: ImportanceEntry, m: number) => counts[counts.length === 1 ? 0 : m]!;
  return {
    sums: a.sums.map((sum, i) => sum + b.sums[i]!),
    counts: Float32Array.from({ length: matrices }, (_, m) => countOf(a, m) + countOf(b, m)),
  };
}

const describe = ({ sums, counts }: ImportanceEntry): string =>
  counts.length === 1 ? `${sums.length} columns` : `${counts.length} × ${sums.length / counts.length} columns`;

function requireChunkSize(chunkSize: number | undefined, file?: string): number {
  if (chunkSize !== undefined && chunkSize > 0) return chunkSize;
  throw new QuernError('imatrix-chunk-size-unknown', 'The legacy format does not say how many tokens a chunk has.', {
    file,
    remedy: 'Give the --ctx-size that the file was made with.',
  });
}
