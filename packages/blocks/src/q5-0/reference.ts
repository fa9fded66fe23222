// Q5_0, reference (layout.ts). The weight of largest magnitude becomes code 0, that is −16 · d; so d may be negative.
// Arithmetic as in ggml-quants.c quantize_row_q5_0_ref, every step rounded to F32.
import type { Codec } from '../codec.ts';
import { f16ToF32, f32ToF16 } from '../half.ts';
import { truncateToInt8 } from '../rounding.ts';
import { signedExtreme } from '../signed-extreme.ts';
import { codeAt, putCodes } from './codes.ts';
import { BLOCK_BYTES, BLOCK_WEIGHTS, QH_OFFSET, QS_OFFSET } from './layout.ts';

const { fround } = Math;

export const q5_0: Codec = {
  decode(bytes, values) {
    for (let at = 0, first = 0; first < values.length; at += BLOCK_BYTES, first += BLOCK_WEIGHTS) {
      const d = f16ToF32(bytes[at] | (bytes[at + 1] << 8));
      for (let j = 0; j < BLOCK_WEIGHTS; j++) {
        values[first + j] = (codeAt(bytes, at + QH_OFFSET, at + QS_OFFSET, j) - 16) * d;
      }
    }
  },

  encode(values, bytes) {
    for (let at = 0, first = 0; first < values.length; at += BLOCK_BYTES, first += BLOCK_WEIGHTS) {
      const block = values.subarray(first, first + BLOCK_WEIGHTS);
      const d = fround(signedExtreme(block) / -16);
      const inverse = d ? fround(1 / d) : 0;
      const half = f32ToF16(d);
      bytes[at] = half;
      bytes[at + 1] = half >> 8;
      putCodes(bytes, at + QH_OFFSET, at + QS_OFFSET, (j) =>
        Math.min(31, truncateToInt8(fround(fround(block[j] * inverse) + 16.5))),
      );
    }
  },
};
