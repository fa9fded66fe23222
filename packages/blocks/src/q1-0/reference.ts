// Q1_0, reference (layout.ts). Arithmetic as in ggml-quants.c quantize_row_q1_0_ref, every step rounded to F32: the scale
// is the mean magnitude, and zero counts as positive.
import type { Codec } from '../codec.ts';
import { f16ToF32, f32ToF16 } from '../half.ts';
import { BLOCK_BYTES, BLOCK_WEIGHTS, QS_OFFSET } from './layout.ts';

const { fround } = Math;

export const q1_0: Codec = {
  decode(bytes, values) {
    for (let at = 0, first = 0; first < values.length; at += BLOCK_BYTES, first += BLOCK_WEIGHTS) {
      const d = f16ToF32(bytes[at] | (bytes[at + 1] << 8));
      for (let i = 0; i < BLOCK_WEIGHTS; i++)
        values[first + i] = (bytes[at + QS_OFFSET + (i >> 3)] >> (i & 7)) & 1 ? d : -d;
    }
  },

  encode(values, bytes) {
    for (let at = 0, first = 0; first < values.length; at += BLOCK_BYTES, first += BLOCK_WEIGHTS) {
      let sum = 0;
      bytes.fill(0, at + QS_OFFSET, at + BLOCK_BYTES);
      for (let i = 0; i < BLOCK_WEIGHTS; i++) {
        const value = values[first + i];
        sum = fround(sum + Math.abs(value));
        if (value >= 0) bytes[at + QS_OFFSET + (i >> 3)] |= 1 << (i & 7);
      }
      const d = f32ToF16(fround(sum / BLOCK_WEIGHTS));
      bytes.set([d, d >> 8], at);
    }
  },
};
