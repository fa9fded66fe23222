// MXFP4, reference (layout.ts). The scale is the power of two that brings the largest magnitude to 4 … 8, of which FP4 has 4
// and 6. Arithmetic as in ggml-quants.c quantize_row_mxfp4_ref, every step rounded to F32.
import type { Codec } from '../codec.ts';
import { BLOCK_BYTES, BLOCK_WEIGHTS, halfScale, QS_OFFSET, VALUES } from './layout.ts';
import { nearestFp4 } from './nearest.ts';

const { fround } = Math;
const HALF = BLOCK_WEIGHTS / 2;

export const mxfp4: Codec = {
  decode(bytes, values) {
    for (let at = 0, first = 0; first < values.length; at += BLOCK_BYTES, first += BLOCK_WEIGHTS) {
      const scale = halfScale(bytes[at]);
      for (let j = 0; j < HALF; j++) {
        const packed = bytes[at + QS_OFFSET + j];
        values[first + j] = VALUES[packed & 15] * scale;
        values[first + HALF + j] = VALUES[packed >> 4] * scale;
      }
    }
  },

  encode(values, bytes) {
    for (let at = 0, first = 0; first < values.length; at += BLOCK_BYTES, first += BLOCK_WEIGHTS) {
      const x = values.subarray(first, first + BLOCK_WEIGHTS);
      const e = exponentOf(x.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0));
      const scale = halfScale(e);
      bytes[at] = e;
      for (let j = 0; j < HALF; j++) {
        bytes[at + QS_OFFSET + j] = nearestFp4(x[j], scale) | (nearestFp4(x[HALF + j], scale) << 4);
      }
    }
  },
};

/**
 * ⌊log2(magnitude)⌋ + 125 as a C uint8_t: for magnitudes below 2^-125 it wraps around, and the codes become 0. As in C, the
 * logarithm is rounded to F32, so magnitudes right below a power of two count as that power.
 */
const exponentOf = (magnitude: number): number =>
  magnitude > 0 ? (Math.floor(fround(Math.log2(magnitude))) + 125) & 255 : 0;
