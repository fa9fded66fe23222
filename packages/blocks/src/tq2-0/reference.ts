// TQ2_0, reference (layout.ts). Arithmetic as in ggml-quants.c quantize_row_tq2_0_ref, every step rounded to F32.
import type { Codec } from '../codec.ts';
import { f16ToF32, f32ToF16 } from '../half.ts';
import { BLOCK_BYTES, BLOCK_WEIGHTS, D_OFFSET } from './layout.ts';
import { toTernary } from './ternary.ts';

export const tq2_0: Codec = {
  decode(bytes, values) {
    for (let at = 0, first = 0; first < values.length; at += BLOCK_BYTES, first += BLOCK_WEIGHTS) {
      const d = f16ToF32(bytes[at + D_OFFSET] | (bytes[at + D_OFFSET + 1] << 8));
      for (let i = 0; i < BLOCK_WEIGHTS; i++) {
        const { byte, shift } = placeOf(i);
        values[first + i] = (((bytes[at + byte] >> shift) & 3) - 1) * d;
      }
    }
  },

  encode(values, bytes) {
    for (let at = 0, first = 0; first < values.length; at += BLOCK_BYTES, first += BLOCK_WEIGHTS) {
      const { scale, codes } = toTernary(values.subarray(first, first + BLOCK_WEIGHTS));
      bytes.fill(0, at, at + D_OFFSET);
      for (const [i, code] of codes.entries()) {
        const { byte, shift } = placeOf(i);
        bytes[at + byte] |= code << shift;
      }
      const d = f32ToF16(scale);
      bytes.set([d, d >> 8], at + D_OFFSET);
    }
  },
};

/** Where the code of weight `i` lies. */
const placeOf = (i: number) => ({ byte: 32 * (i >> 7) + (i & 31), shift: 2 * ((i >> 5) & 3) });
