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
  /** Share of the mean diagonal that is added to it. */
  readonly damp: number;
  readonly threads: number;
  readonly tensor: string;
}

/**
 * @param gram [cols, cols] sum over `tokens` inputs
 * @throws QuernError `gptq-not-positive`
 */
export async function hessianFactor(
  gram: Float32Array,
  tokens: number,
  order: Int32Array,
  { damp, threads, tensor }: HessianOptions,
): Promise<TriangleTiles> {
  const n = order.length;
  const diagonal = Float64Array.from(order, (col) => gram[col * n + col]! / tokens || 1);
  const added = (damp * diagonal.reduce((sum, value) => sum + value, 0)) / n;
  const tiles = new TriangleTiles(n);
  tiles.fill((row, col) => (row === col ? diagonal[row]! + added : gram[order[row]! * n + order[col]!]! / tokens));
  if (await factorOnThreads(tiles, threads)) return tiles;
  throw new QuernError('gptq-not-positive', 'The inputs of the layer depend on each other too closely.', {
    tensor,
    remedy: 'Raise --damp (0.05, 0.1), or calibrate on more text.',
  });
}
