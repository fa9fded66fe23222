// Scales of sub-blocks as the IQ1, IQ2 and IQ3 types store them: d · (2 sc + 1), where sc has a few bits.
// Order and rounding of the arithmetic are those of ggml-quants.c.
import { clamp, nearestInt } from '../rounding.ts';

const { fround } = Math;

/** What is stored for a block on which ggml ends the program (grid.ts): NaN as F16 d, so that nobody takes it for weights. */
export const NAN_SCALE = 0xfe00;

/** The largest of scales, which are not negative. */
export const largestScale = (scales: Float32Array): number =>
  scales.reduce((largest, scale) => (largest > scale ? largest : scale), 0);

/** The unit d that makes `largest` the largest odd number. */
export const oddUnit = (largest: number, maxCode: number): number => fround(largest / (2 * maxCode + 1));

/** sc of every scale. */
export function oddCodes(scales: Float32Array, unit: number, maxCode: number): Uint8Array {
  const inverse = fround(1 / unit);
  return Uint8Array.from(scales, (scale) => clamp(nearestInt(0.5 * fround(fround(inverse * scale) - 1)), 0, maxCode));
}
