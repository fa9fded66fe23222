// Q4_0, reference (layout.ts). The weight of largest magnitude becomes code 0, that is −8 · d; so d may be negative.
// Arithmetic as in ggml-quants.c quantize_row_q4_0_ref, every step rounded to F32.
import type { Codec } from '../codec.ts';
import { f16ToF32, f32ToF16 } from '../half.ts';
import { truncateToInt8 } from '../rounding.ts';
import { signedExtreme } from '../signed-extreme.ts';
import { BLOCK_BYTES, BLOCK_WEIGHTS, QS_OFFSET } from './layout.ts';

const { fround } = Math;
const HALF = BLOCK_WEIGHTS / 2;

export const q4_0: Codec = {
  decode(bytes, values) {
    for (let at = 0, first = 0; first < values.length; at += BLOCK_BYTES, first += BLOCK_WEIGHTS) {
      const d = f16ToF32(bytes[at] | (bytes[at + 1] << 8));
      for (let j = 0; j < HALF; j++) {
        const packed = bytes[at + QS_OFFSET + j];
        values[first + j] = ((packed & 15) - 8) * d;
        values[first + HALF + j] = ((packed >> 4) - 8) * d;
      }
    }
  },

  encode(values, bytes) {
    for (let at = 0, first = 0; first < values.length; at += BLOCK_BYTES, first += BLOCK_WEIGHTS) {
      const block = values.subarray(first, first + BLOCK_WEIGHTS);
      const d = fround(signedExtreme(block) / -8);
      const inverse = d ? fround(1 / d) : 0;
      const half = f32ToF16(d);
      bytes[at] = half;
      bytes[at + 1] = half >> 8;
      const code = (x: number) => Math.min(15, truncateToInt8(fround(fround(x * inverse) + 8.5)));
      for (let j = 0; j < HALF; j++) bytes[at + QS_OFFSET + j] = code(block[j]) | (code(block[HALF + j]) << 4);
    }
  },
};
