// What Q4_K and Q5_K share: eight sub-blocks of 32, each with a scale and a minimum of 6 bits relative to the block's
// F16 pair (layout.ts). Arithmetic as in ggml-quants.c, every step rounded to F32.
import { f16ToF32, f32ToF16 } from '../half.ts';
import { nearestInt } from '../rounding.ts';
import type { AffineFit } from '../search/affine.ts';
import { minOf, putScaleMin, QS_OFFSET, SCALES_OFFSET, SUB_WEIGHTS, scaleOf } from './layout.ts';

const { fround } = Math;

/** Larger weights matter more: w = root mean square of the sub-block + |x|. */
export function weightsOf(sub: Float32Array): Float32Array {
  let sum = 0;
  for (const x of sub) sum = fround(sum + fround(x * x));
  const rms = fround(Math.sqrt(fround(sum / SUB_WEIGHTS)));
  return sub.map((x) => rms + Math.abs(x));
}

export function storeFits(block: Uint8Array, fits: readonly AffineFit[]): void {
  const largest = (pick: (fit: AffineFit) => number) => fits.reduce((m, fit) => (pick(fit) > m ? pick(fit) : m), 0);
  const maxScale = largest((fit) => fit.scale);
  const maxMin = largest((fit) => fit.min);
  const inverseScale = maxScale > 0 ? fround(63 / maxScale) : 0;
  const inverseMin = maxMin > 0 ? fround(63 / maxMin) : 0;
  const sixBits = (value: number) => Math.min(63, nearestInt(fround(value)) & 255);
  block.fill(0, SCALES_OFFSET, QS_OFFSET);
  for (const [j, fit] of fits.entries()) {
    putScaleMin(block, SCALES_OFFSET, j, sixBits(inverseScale * fit.scale), sixBits(inverseMin * fit.min));
  }
  const d = f32ToF16(fround(maxScale / 63));
  const dmin = f32ToF16(fround(maxMin / 63));
  block.set([d, d >> 8, dmin, dmin >> 8]);
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
