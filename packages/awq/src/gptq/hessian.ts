// What GPTQ knows of a layer's inputs: the order in which columns are rounded, and the factor U of
//   H = X Xᵀ / n + damp · mean(diag H)        columns and rows in that order; an input that is always 0 counts as 1
import { QuernError } from '@quern/errors';
import { factorOnThreads } from './factor-threads.ts';
import { TriangleTiles } from './triangle-tiles.ts';

/** Column at each place: as they stand, or those with the largest inputs first. */
export function columnOrder(gram: Float32Array, cols: number, actOrder: boolean): Int32Array {
  const order = Int32Array.from({ length: cols }, (_, col) => col);
  return actOrder ? order.sort((a, b) => gram[b * cols + b]! - gram[a * cols + a]! || a - b) : order;
}

export interface HessianOptions {
  /** Columns in the order of their inputs' energy. */
  readonly actOrder: boolean;
  /** Share of the mean diagonal that is added to it. */
  readonly damp: number;
  readonly threads: number;
  /** A weight that reads the inputs, for errors. */
  readonly tensor: string;
}

/** Of one input, for all weights that read it. */
export interface FactoredInputs {
  /** Column at each place. */
  readonly order: Int32Array;
  readonly factor: TriangleTiles;
  /** By place: 0 where an input is always 0, so that its weights do nothing. */
  readonly isUsed: Uint8Array;
}

/**
 * @param gram [cols, cols] sum over `tokens` inputs
 * @throws QuernError `gptq-not-positive`
 */
export async function factoredInputs(
  gram: Float32Array,
  tokens: number,
  { actOrder, damp, threads, tensor }: HessianOptions,
): Promise<FactoredInputs> {
  const n = Math.sqrt(gram.length);
  const order = columnOrder(gram, n, actOrder);
  const isUsed = Uint8Array.from(order, (col) => (gram[col * n + col] === 0 ? 0 : 1));
  const diagonal = Float64Array.from(order, (col) => gram[col * n + col]! / tokens || 1);
  const added = (damp * diagonal.reduce((sum, value) => sum + value, 0)) / n;
  const factor = new TriangleTiles(n);
  factor.fill((row, col) => (row === col ? diagonal[row]! + added : gram[order[row]! * n + order[col]!]! / tokens));
  if (await factorOnThreads(factor, threads)) return { order, factor, isUsed };
  throw new QuernError('gptq-not-positive', 'The inputs of the layer depend on each other too closely.', {
    tensor,
    remedy: 'Raise --damp (0.05, 0.1), or calibrate on more text.',
  });
}
