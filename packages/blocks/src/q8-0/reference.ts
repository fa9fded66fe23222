// Q8_0, reference (layout.ts). Arithmetic as in ggml-quants.c quantize_row_q8_0_ref, every step rounded to F32.
import type { Codec } from '../codec.ts';
import { f16ToF32, f32ToF16 } from '../half.ts';
import { roundHalfAway, truncateToInt8 } from '../rounding.ts';
import { BLOCK_BYTES, BLOCK_WEIGHTS, QS_OFFSET } from './layout.ts';

const { fround } = Math;

export const q8_0: Codec = {
  decode(bytes, values) {
    for (let at = 0, first = 0; first < values.length; at += BLOCK_BYTES, first += BLOCK_WEIGHTS) {
      const d = f16ToF32(bytes[at] | (bytes[at + 1] << 8));
      for (let j = 0; j < BLOCK_WEIGHTS; j++) values[first + j] = ((bytes[at + QS_OFFSET + j] << 24) >> 24) * d;
    }
  },

  encode(values, bytes) {
    for (let at = 0, first = 0; first < values.length; at += BLOCK_BYTES, first += BLOCK_WEIGHTS) {
      const block = values.subarray(first, first + BLOCK_WEIGHTS);
      let magnitude = 0;
      for (const x of block) magnitude = Math.max(magnitude, Math.abs(x));
      const d = fround(magnitude / 127);
      const inverse = d ? fround(1 / d) : 0;
      const half = f32ToF16(d);
      bytes[at] = half;
      bytes[at + 1] = half >> 8;
      for (let j = 0; j < BLOCK_WEIGHTS; j++) {
        bytes[at + QS_OFFSET + j] = truncateToInt8(roundHalfAway(fround(block[j] * inverse)));
      }
    }
  },
};
