// What Q4_K and Q5_K share: eight sub-blocks of 32, each with a scale and a minimum of 6 bits relative to the block's
// F16 pair (layout.ts). Arithmetic as in ggml-quants.c, every step rounded to F32.
import { f16ToF32, resultToF16 } from '../half.ts';
import { clamp, nearestInt } from '../rounding.ts';
import { type AffineFit, type AffineGrid, fitAffine, weightedGrid } from '../search/affine.ts';
import { errorWeights, sumOfSquares, sumOfWeights } from '../search/error-weights.ts';
import { fitPositive } from '../search/positive.ts';
import { BLOCK_WEIGHTS, minOf, putScaleMin, SCALES_OFFSET, SUB_BLOCKS, SUB_WEIGHTS, scaleOf } from './layout.ts';

const { fround } = Math;

const SCALES_BYTES = 12;
const MAX_SCALE = 63;

/**
 * Fits the sub-blocks of `x`, stores scales and minima in `block` and writes the codes into `codes`. Rounding errors can
 * make a scale negative; `largestScale` is what ggml then limits its low byte to, under importance.
 */
export function encodeSubBlocks(
  x: Float32Array,
  importance: Float32Array | undefined,
  grid: AffineGrid,
  block: Uint8Array,
  codes: Uint8Array,
  largestScale: number,
): void {
  const subOf = <T extends Float32Array | Uint8Array>(array: T, j: number) =>
    array.subarray(j * SUB_WEIGHTS, (j + 1) * SUB_WEIGHTS) as T;
  const meanSquare = fround(fround(2 * sumOfSquares(x)) / BLOCK_WEIGHTS);
  const sums = new Float32Array(SUB_BLOCKS);
  const fits = Array.from({ length: SUB_BLOCKS }, (_, j) => {
    const sub = subOf(x, j);
    if (!importance) return fitAffine(sub, ownWeights(sub), subOf(codes, j), grid);
    const weights = errorWeights(sub, subOf(importance, j), meanSquare);
    sums[j] = sumOfWeights(weights);
    return fitAffine(sub, weights, subOf(codes, j), weightedGrid(grid.maxCode));
  });
  if (importance) storeWeightedFits(block, fits, sums, largestScale);
  else storeFits(block, fits);
  for (let j = 0; j < SUB_BLOCKS; j++) {
    const { scale, min } = storedFit(block, 0, j);
    if (scale === 0) continue; // ggml keeps the codes of the search here
    for (let i = j * SUB_WEIGHTS; i < (j + 1) * SUB_WEIGHTS; i++) {
      codes[i] = clamp(nearestInt(fround(fround(x[i] + min) / scale)), 0, grid.maxCode);
    }
  }
}

/** Without importance larger weights matter more: w = root mean square of the sub-block + |x|. */
function ownWeights(sub: Float32Array): Float32Array {
  const rms = fround(Math.sqrt(fround(sumOfSquares(sub) / SUB_WEIGHTS)));
  return sub.map((x) => rms + Math.abs(x));
}

/** Scales and minima relative to the largest of each. */
function storeFits(block: Uint8Array, fits: readonly AffineFit[]): void {
  const largest = (pick: (fit: AffineFit) => number) => fits.reduce((m, fit) => (pick(fit) > m ? pick(fit) : m), 0);
  const maxScale = largest((fit) => fit.scale);
  const maxMin = largest((fit) => fit.min);
  const inverseScale = maxScale > 0 ? fround(MAX_SCALE / maxScale) : 0;
  const inverseMin = maxMin > 0 ? fround(MAX_SCALE / maxMin) : 0;
  const sixBits = (value: number) => Math.min(MAX_SCALE, nearestInt(fround(value)) & 255);
  const scales = fits.map((fit) => sixBits(inverseScale * fit.scale));
  const mins = fits.map((fit) => sixBits(inverseMin * fit.min));
  putFits(block, fround(maxScale / MAX_SCALE), fround(maxMin / MAX_SCALE), scales, mins);
}

/** Scales and minima fitted among themselves, each counting as much as the weights of its sub-block. */
function storeWeightedFits(block: Uint8Array, fits: readonly AffineFit[], sums: Float32Array, limit: number): void {
  const scales = new Uint8Array(SUB_BLOCKS);
  const mins = new Uint8Array(SUB_BLOCKS);
  const d = fitPositive(
    Float32Array.from(fits, (fit) => fit.scale),
    sums,
    scales,
    MAX_SCALE,
  );
  const dmin = fitPositive(
    Float32Array.from(fits, (fit) => fit.min),
    sums,
    mins,
    MAX_SCALE,
  );
  const limited = (codes: Uint8Array) => codes.map((code) => Math.min(limit, code));
  putFits(block, d, dmin, limited(scales), limited(mins));
}

function putFits(block: Uint8Array, d: number, dmin: number, scales: ArrayLike<number>, mins: ArrayLike<number>): void {
  const [dHalf, dminHalf] = [resultToF16(d), resultToF16(dmin)];
  block.set([dHalf, dHalf >> 8, dminHalf, dminHalf >> 8]);
  block.fill(0, SCALES_OFFSET, SCALES_OFFSET + SCALES_BYTES);
  for (let j = 0; j < SUB_BLOCKS; j++) putScaleMin(block, SCALES_OFFSET, j, scales[j], mins[j]);
}

/** What decoding will use for sub-block `j` of the block at `at`. */
export function storedFit(bytes: Uint8Array, at: number, j: number): AffineFit {
  const d = f16ToF32(bytes[at] | (bytes[at + 1] << 8));
  const dmin = f16ToF32(bytes[at + 2] | (bytes[at + 3] << 8));
  return {
    scale: fround(d * scaleOf(bytes, at + SCALES_OFFSET, j)),
    min: fround(dmin * minOf(bytes, at + SCALES_OFFSET, j)),
  };
}
