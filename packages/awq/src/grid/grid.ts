// What a group of weights is rounded to: w ≈ (code − zero) · scale, code in 0 … 2^bits − 1, one scale (and zero) for every
// `groupSize` neighbours of a row.
//
//   with zero points (AutoAWQ pseudo_quantize_tensor): scale = (max − min) / (2^bits − 1), zero = round(−min / scale)
//   symmetric (GPTQ, compressed-tensors):              scale = 2 · max|w| / (2^bits − 1),  zero = 2^(bits − 1)
//   with offsets (mlx): the end of the range that is farther from 0 is met exactly, and 0 as well
//     s = ±(max − min) / (2^bits − 1), −zero = round(end / s), scale = end / −zero          scale < 0 where end = max
//
// The range of the first two always includes 0: without it AutoAWQ cannot represent a group whose weights all have one sign, because zero
// points are clamped into 0 … 15. Groups of both signs, which are nearly all, come out the same.
// Every step is rounded to f32 (or what `round` says), and ties go to even, as torch computes it.

export interface Grid {
  readonly bits: number;
  readonly groupSize: number;
  readonly symmetric: boolean;
  /** Smallest zero that the format can store; 1 in GPTQ v1. */
  readonly leastZero: number;
  /** The format stores −zero · scale, not the zero: it may be any whole number, and the scale any sign. */
  readonly offsets?: boolean;
}

/** Smallest range of a group that gets a scale of its own (AutoAWQ). Not 0 even in F16. */
const leastRange = 1e-5;

export interface GroupRange {
  scale: number;
  zero: number;
}

/** Adding it leaves no bits for a fraction: the addition rounds to an integer, ties to even. */
const rounder = 3 * 2 ** 51;

export const roundHalfEven = (value: number): number => value + rounder - rounder;

/** Scale and zero of `count` weights from `from` on; written to `range`, which saves an object per group. */
export function groupRange(
  weights: Float32Array,
  from: number,
  count: number,
  { bits, symmetric, leastZero, offsets }: Grid,
  range: GroupRange,
  round: (value: number) => number = Math.fround,
): void {
  if (offsets) {
    offsetRange(weights, from, count, bits, range);
    range.scale = round(range.scale);
    return;
  }
  let max = 0;
  let min = 0;
  for (let i = from; i < from + count; i++) {
    const w = weights[i]!;
    if (w > max) max = w;
    else if (w < min) min = w;
  }
  const top = 2 ** bits - 1;
  const width = symmetric ? 2 * Math.max(max, -min) : max - min;
  const scale = round(Math.max(round(width), leastRange) / top);
  range.scale = scale;
  range.zero = symmetric ? 2 ** (bits - 1) : Math.min(top, Math.max(leastZero, -roundHalfEven(round(min / scale))));
}

/** Smallest step of mlx. */
const leastStep = Math.fround(1e-7);

/** As mlx computes it, in F32. */
export function offsetRange(weights: Float32Array, from: number, count: number, bits: number, range: GroupRange): void {
  let max = -Infinity;
  let min = Infinity;
  for (let i = from; i < from + count; i++) {
    const w = weights[i]!;
    if (w > max) max = w;
    if (w < min) min = w;
  }
  const isLow = Math.abs(min) > Math.abs(max);
  const end = isLow ? min : max;
  const step = Math.max(Math.fround(Math.fround(max - min) / (2 ** bits - 1)), leastStep);
  const signed = isLow ? step : -step;
  const codesToEnd = roundHalfEven(Math.fround(end / signed));
  range.scale = codesToEnd === 0 ? signed : Math.fround(end / codesToEnd);
  range.zero = 0 - codesToEnd;
}

/** @param quotient weight / scale, rounded as the arithmetic at hand rounds it */
export function codeOf(quotient: number, zero: number, top: number): number {
  const code = roundHalfEven(quotient) + zero;
  return code < 0 ? 0 : code > top ? top : code;
}

/** Replaces every weight of [rows, cols] by what its code stands for; `cols` is a multiple of the group size. */
export function pseudoQuantize(weights: Float32Array, grid: Grid): void {
  const { groupSize, bits } = grid;
  const top = 2 ** bits - 1;
  const range: GroupRange = { scale: 0, zero: 0 };
  for (let from = 0; from < weights.length; from += groupSize) {
    groupRange(weights, from, groupSize, grid, range);
    const { scale, zero } = range;
    for (let i = from; i < from + groupSize; i++)
      weights[i] = (codeOf(Math.fround(weights[i]! / scale), zero, top) - zero) * scale;
  }
}
