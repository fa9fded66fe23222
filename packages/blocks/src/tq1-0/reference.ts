// TQ1_0, reference (layout.ts). Arithmetic as in ggml-quants.c quantize_row_tq1_0_ref, every step rounded to F32.
import type { Codec } from '../codec.ts';
import { f16ToF32, f32ToF16 } from '../half.ts';
import { toTernary } from '../tq2-0/ternary.ts';
import { BLOCK_BYTES, BLOCK_WEIGHTS, D_OFFSET, RUNS } from './layout.ts';

const DIGITS = 5;

export const tq1_0: Codec = {
  decode(bytes, values) {
    for (let at = 0, first = 0; first < values.length; at += BLOCK_BYTES, first += BLOCK_WEIGHTS) {
      const d = f16ToF32(bytes[at + D_OFFSET] | (bytes[at + D_OFFSET + 1] << 8));
      for (const run of RUNS) {
        for (let m = 0; m < run.bytes; m++) {
          let rest = bytes[at + run.offset + m];
          for (let n = 0; n < run.codes; n++) {
            values[first + run.firstWeight + n * run.bytes + m] = (((rest * 3) >> 8) - 1) * d;
            rest = (rest * 3) & 255;
          }
        }
      }
    }
  },

  encode(values, bytes) {
    for (let at = 0, first = 0; first < values.length; at += BLOCK_BYTES, first += BLOCK_WEIGHTS) {
      const { scale, codes } = toTernary(values.subarray(first, first + BLOCK_WEIGHTS));
      for (const run of RUNS) {
        for (let m = 0; m < run.bytes; m++) {
          let number = 0;
          for (let n = 0; n < DIGITS; n++) {
            number = 3 * number + (n < run.codes ? codes[run.firstWeight + n * run.bytes + m] : 0);
          }
          bytes[at + run.offset + m] = Math.ceil((number * 256) / 243);
        }
      }
      const d = f32ToF16(scale);
      bytes.set([d, d >> 8], at + D_OFFSET);
    }
  },
};
