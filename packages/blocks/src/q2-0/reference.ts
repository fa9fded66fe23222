// Q2_0, reference (layout.ts). Arithmetic as in ggml-quants.c quantize_row_q2_0_ref, every step rounded to F32: the scale
// is the largest magnitude.
import type { Codec } from '../codec.ts';
import { f16ToF32, f32ToF16 } from '../half.ts';
import { clamp, roundHalfAway } from '../rounding.ts';
import { BLOCK_BYTES, BLOCK_WEIGHTS, QS_OFFSET } from './layout.ts';

const { fround } = Math;

export const q2_0: Codec = {
  decode(bytes, values) {
    for (let at = 0, first = 0; first < values.length; at += BLOCK_BYTES, first += BLOCK_WEIGHTS) {
      const d = f16ToF32(bytes[at] | (bytes[at + 1] << 8));
      for (let i = 0; i < BLOCK_WEIGHTS; i++)
        values[first + i] = (((bytes[at + QS_OFFSET + (i >> 2)] >> (2 * (i & 3))) & 3) - 1) * d;
    }
  },

  encode(values, bytes) {
    for (let at = 0, first = 0; first < values.length; at += BLOCK_BYTES, first += BLOCK_WEIGHTS) {
      const x = values.subarray(first, first + BLOCK_WEIGHTS);
      const scale = x.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
      const inverse = scale ? fround(1 / scale) : 0;
      bytes.fill(0, at + QS_OFFSET, at + BLOCK_BYTES);
      for (const [i, value] of x.entries()) bytes[at + QS_OFFSET + (i >> 2)] |= codeOf(value, inverse) << (2 * (i & 3));
      const d = f32ToF16(scale);
      bytes.set([d, d >> 8], at);
    }
  },
};

/** Where 1/d is infinite, C's conversion to int gives the lowest one, and the code is 0. */
function codeOf(value: number, inverse: number): number {
  const scaled = fround(value * inverse);
  return Number.isFinite(scaled) ? clamp(roundHalfAway(scaled) + 1, 0, 3) : 0;
}
