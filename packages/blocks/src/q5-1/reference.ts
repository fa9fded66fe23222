// Q5_1, reference (layout.ts). The smallest weight becomes code 0, the largest 31.
// Arithmetic as in ggml-quants.c quantize_row_q5_1_ref, every step rounded to F32.
import type { Codec } from '../codec.ts';
import { f16ToF32, f32ToF16 } from '../half.ts';
import { codeAt, putCodes } from '../q5-0/codes.ts';
import { truncateToInt8 } from '../rounding.ts';
import { BLOCK_BYTES, BLOCK_WEIGHTS, M_OFFSET, QH_OFFSET, QS_OFFSET } from './layout.ts';

const { fround } = Math;
const largestF32 = fround(3.4028234663852886e38);

export const q5_1: Codec = {
  decode(bytes, values) {
    for (let at = 0, first = 0; first < values.length; at += BLOCK_BYTES, first += BLOCK_WEIGHTS) {
      const d = f16ToF32(bytes[at] | (bytes[at + 1] << 8));
      const m = f16ToF32(bytes[at + M_OFFSET] | (bytes[at + M_OFFSET + 1] << 8));
      for (let j = 0; j < BLOCK_WEIGHTS; j++) {
        values[first + j] = fround(codeAt(bytes, at + QH_OFFSET, at + QS_OFFSET, j) * d) + m;
      }
    }
  },

  encode(values, bytes) {
    for (let at = 0, first = 0; first < values.length; at += BLOCK_BYTES, first += BLOCK_WEIGHTS) {
      const block = values.subarray(first, first + BLOCK_WEIGHTS);
      let min = largestF32;
      let max = -largestF32;
      for (const x of block) {
        if (x < min) min = x;
        if (x > max) max = x;
      }
      const d = fround(fround(max - min) / 31);
      const inverse = d ? fround(1 / d) : 0;
      const dHalf = f32ToF16(d);
      const mHalf = f32ToF16(min);
      bytes.set([dHalf, dHalf >> 8, mHalf, mHalf >> 8], at);
      putCodes(bytes, at + QH_OFFSET, at + QS_OFFSET, (j) =>
        truncateToInt8(fround(fround(fround(block[j] - min) * inverse) + 0.5)),
      );
    }
  },
};
