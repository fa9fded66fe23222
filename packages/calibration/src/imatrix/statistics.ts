// Figures that show what an importance matrix says about a weight (llama-imatrix --show-statistics). They describe the
// means m = sums / count of all columns of all matrices that saw a token:
//   total Σ m · min, max, mean, deviation · active: share of m > 1e-5
//   entropy −Σ p log2 p with p = m / total: log2(N) when all columns matter alike, 0 when one does all
//   zd: share of columns more than one deviation above the mean
//   similarity: cosine of the sums to those of the same weight one block before
import type { ImportanceEntry, ImportanceMatrix } from './importance-matrix.ts';

export interface EntryStatistics {
  readonly tensor: string;
  /** Columns that the figures describe; 0 when no matrix saw a token, and then all figures are 0. */
  readonly columns: number;
  readonly total: number;
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  readonly deviation: number;
  readonly active: number;
  /** In bits. */
  readonly entropy: number;
  /** entropy / log2(columns), 0 … 1. */
  readonly entropyShare: number;
  readonly zd: number;
  /** Undefined in the first block and outside of blocks. */
  readonly similarity?: number;
  /** Rows that each matrix (expert) has seen. */
  readonly counts: readonly number[];
}

const inactiveBelow = 1e-5;

/** In the order of the entries. */
export function imatrixStatistics({ entries }: Pick<ImportanceMatrix, 'entries'>): EntryStatistics[] {
  return [...entries].map(([tensor, entry]) => {
    const before = entries.get(blockBefore(tensor) ?? '');
    const similarity = before && before.sums.length === entry.sums.length ? cosine(entry.sums, before.sums) : undefined;
    return { tensor, ...describeMeans(meansOf(entry)), similarity, counts: [...entry.counts] };
  });
}

function describeMeans(means: Float64Array) {
  const columns = means.length;
  if (columns === 0) return { ...nothing };
  const total = means.reduce((sum, mean) => sum + mean, 0);
  const mean = total / columns;
  const deviation = Math.sqrt(means.reduce((sum, value) => sum + (value - mean) ** 2, 0) / columns);
  const entropy = means.reduce(
    (bits, value) => (value > 0 ? bits - (value / total) * Math.log2(value / total) : bits),
    0,
  );
  const share = (counts: (value: number) => boolean) => means.filter(counts).length / columns;
  return {
    columns,
    total,
    min: means.reduce((least, value) => Math.min(least, value)),
    max: means.reduce((most, value) => Math.max(most, value)),
    mean,
    deviation,
    active: share((value) => value > inactiveBelow),
    entropy,
    entropyShare: columns > 1 ? entropy / Math.log2(columns) : 0,
    zd: deviation > 0 ? share((value) => value > mean + deviation) : 0,
  };
}

const nothing = {
  columns: 0,
  total: 0,
  min: 0,
  max: 0,
  mean: 0,
  deviation: 0,
  active: 0,
  entropy: 0,
  entropyShare: 0,
  zd: 0,
};

function meansOf({ sums, counts }: ImportanceEntry): Float64Array {
  const width = sums.length / counts.length;
  const seen = [...counts.keys()].filter((m) => counts[m]! > 0);
  return Float64Array.from({ length: seen.length * width }, (_, i) => {
    const m = seen[Math.floor(i / width)]!;
    return sums[m * width + (i % width)]! / counts[m]!;
  });
}

function blockBefore(tensor: string): string | undefined {
  const [whole, number] = /^blk\.(\d+)\./.exec(tensor) ?? [];
  return whole && `blk.${Number(number) - 1}.${tensor.slice(whole.length)}`;
}

function cosine(a: Float32Array, b: Float32Array): number {
  let [product, squaresA, squaresB] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    product += a[i]! * b[i]!;
    squaresA += a[i]! ** 2;
    squaresB += b[i]! ** 2;
  }
  return squaresA > 0 && squaresB > 0 ? product / Math.sqrt(squaresA * squaresB) : 0;
}
