// Scales that a search has found, and what they do to each tensor of a block: columns of the readers are multiplied, then
// the outputs of the maker are divided. Each of the two steps is rounded to f32.
import type { LayerPair } from '../layer/layer-pairs.ts';

export interface PairScales extends Pick<LayerPair, 'prev' | 'layers' | 'followers'> {
  /** [channels]; behind a stack of experts [experts, channels]. */
  readonly scales: Float32Array;
  /** The ratio of the grid; of a stack one per expert; undefined for an expert that no token reached. */
  readonly ratios: readonly (number | undefined)[];
  /** Mean squared error of the output looked at with these scales, and without any: the sum over a stack's experts. */
  readonly error: number;
  readonly unscaledError: number;
}

/** What becomes of one tensor. */
export interface TensorScaling {
  /** Multiplies columns: [cols], or [experts, cols]. */
  columns?: Float32Array;
  /** Divides rows (of a vector: elements), the last ones where there are fewer: [channels], or [experts, channels]. */
  divisors?: Float32Array;
}

/** By tensor name. */
export function scalingsOf(pairs: readonly Pick<PairScales, 'prev' | 'layers' | 'followers' | 'scales'>[]) {
  const scalings = new Map<string, TensorScaling>();
  const at = (name: string): TensorScaling => {
    const found = scalings.get(name) ?? {};
    scalings.set(name, found);
    return found;
  };
  for (const { prev, layers, followers, scales } of pairs) {
    at(prev).divisors = scales;
    at(prev.replace(/\.weight$/, '.bias')).divisors = scales; // where the maker has a bias
    for (const name of [...layers, ...followers]) at(name).columns = scales;
  }
  return scalings;
}

/** A tensor as experts × rows × cols; a vector, told by its shape, is one row. */
export interface ScaledShape {
  readonly shape: readonly number[];
  readonly experts: number;
  readonly rows: number;
  readonly cols: number;
}

/** In place: rows `firstRow …` (counted through all experts) of a tensor; `values` [count, cols]. */
export function scaleRows(
  values: Float32Array,
  firstRow: number,
  { shape, experts, rows, cols }: ScaledShape,
  { columns, divisors }: TensorScaling,
): void {
  if (shape.length === 1) {
    if (divisors) for (let c = 0; c < cols; c++) values[c]! /= divisors[c]!;
    return;
  }
  const perExpert = columns && columns.length > cols ? cols : 0;
  const channels = divisors && divisors.length / experts;
  const shift = channels === undefined ? 0 : rows - channels;
  for (let i = 0; i < values.length / cols; i++) {
    const expert = Math.floor((firstRow + i) / rows);
    const row = (firstRow + i) % rows;
    const from = i * cols;
    if (columns) for (let c = 0; c < cols; c++) values[from + c]! *= columns[expert * perExpert + c]!;
    if (!divisors || row < shift) continue;
    const divisor = divisors[expert * channels! + row - shift]!;
    for (let c = 0; c < cols; c++) values[from + c]! /= divisor;
  }
}
