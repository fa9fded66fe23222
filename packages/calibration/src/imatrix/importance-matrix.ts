// An importance matrix: how strongly each input column of a weight matrix is driven, measured on a text. For the inputs
// x_t of a weight (one row per token), sums[j] = Σ_t x_t[j]² and count = the number of rows. Weights of a stack of
// experts have one such row of sums and one count per expert. (llama.cpp tools/imatrix)
import { QuernError } from '@quern/errors';

/** What was measured for one weight. */
export interface ImportanceEntry {
  /** [matrices, width] Σ x². */
  readonly sums: Float32Array;
  /** [matrices] rows that were summed; whole numbers. One for a plain matrix, one per expert for a stack. */
  readonly counts: Float32Array;
}

export interface ImportanceMatrix {
  /** The texts it was measured on, by name. */
  readonly datasets: readonly string[];
  readonly chunkCount: number;
  /** Tokens per chunk; 0 when unknown (legacy files). */
  readonly chunkSize: number;
  /** By weight name, in order of names. */
  readonly entries: ReadonlyMap<string, ImportanceEntry>;
}

/** Importance of the columns of one weight, as quantizers take it. */
export interface Importance {
  /** [matrices, width] mean of x². */
  readonly values: Float32Array;
  /** Matrices (experts) that no token reached. Their values are 1: every column counts the same. */
  readonly neverFired: readonly number[];
}

/** sums / count, and 1 where the count is 0: the numbers that llama-quantize works with (tools/quantize load_imatrix). */
export function entryImportance({ sums, counts }: ImportanceEntry): Importance {
  const width = sums.length / counts.length;
  const values = new Float32Array(sums.length);
  const neverFired: number[] = [];
  for (let m = 0; m < counts.length; m++) {
    const count = counts[m]!;
    const end = (m + 1) * width;
    if (count === 0) neverFired.push(m);
    for (let i = m * width; i < end; i++) values[i] = count > 0 ? sums[i]! / count : 1;
  }
  return { values, neverFired };
}

/** Importance of a weight, or undefined when the matrix has no entry for it. */
export function importanceOf(matrix: ImportanceMatrix, tensorName: string): Importance | undefined {
  const entry = matrix.entries.get(tensorName);
  return entry && entryImportance(entry);
}

/**
 * Proves that an entry can be used: whole counts, finite sums that are not negative.
 * @throws QuernError `imatrix-bad-shape`, `imatrix-bad-count`, `imatrix-bad-sum`
 */
export function checkEntry({ sums, counts }: ImportanceEntry, tensor: string, file?: string): void {
  const place = { file, tensor };
  if (counts.length < 1 || sums.length < 1 || sums.length % counts.length !== 0)
    throw new QuernError('imatrix-bad-shape', `${sums.length} sums cannot belong to ${counts.length} counts.`, place);
  const count = counts.find((value) => !Number.isSafeInteger(value) || value < 0);
  if (count !== undefined)
    throw new QuernError('imatrix-bad-count', `A count is ${count}; counts are whole numbers from 0.`, place);
  const at = sums.findIndex((value) => !(value >= 0 && value < Number.POSITIVE_INFINITY));
  if (at >= 0)
    throw new QuernError('imatrix-bad-sum', `Sum ${at} is ${sums[at]}; a sum of squares is finite and at least 0.`, {
      ...place,
      remedy: 'The model or the text broke the measurement: make the importance matrix again.',
    });
}

export const entryMissing = (file: string, tensor: string): QuernError =>
  new QuernError('imatrix-entry-missing', 'The importance matrix has no entry of this name.', { file, tensor });

/** Entries in the order of their names, byte by byte as llama.cpp's std::sort has it. */
export function sortedEntries(entries: Iterable<readonly [string, ImportanceEntry]>): Map<string, ImportanceEntry> {
  return new Map([...entries].sort(([a], [b]) => compareNames(a, b)));
}

const encoder = new TextEncoder();

function compareNames(a: string, b: string): number {
  const [x, y] = [encoder.encode(a), encoder.encode(b)];
  for (let i = 0; i < Math.min(x.length, y.length); i++) if (x[i] !== y[i]) return x[i]! - y[i]!;
  return x.length - y.length;
}
