// Q5_1, reference (layout.ts): Q4_1 with 32 codes instead of 16.
// Arithmetic as in ggml-quants.c quantize_row_q5_1_ref and quantize_row_q5_1_impl, every step rounded to F32.
import type { Codec } from '../codec.ts';
import { f16ToF32, f32ToF16 } from '../half.ts';
import { fitExtremes } from '../q4-1/extremes.ts';
import { codeAt, putCodes } from '../q5-0/codes.ts';
import { fitAffine, weightedGrid } from '../search/affine.ts';
import { rowErrorWeights } from '../search/error-weights.ts';
import { BLOCK_BYTES, BLOCK_WEIGHTS, M_OFFSET, QH_OFFSET, QS_OFFSET } from './layout.ts';

const { fround } = Math;
const MAX_CODE = 31;

export const q5_1: Codec = {
  weighting: 'row',

  decode(bytes, values) {
    for (let at = 0, first = 0; first < values.length; at += BLOCK_BYTES, first += BLOCK_WEIGHTS) {
      const d = f16ToF32(bytes[at] | (bytes[at + 1] << 8));
      const m = f16ToF32(bytes[at + M_OFFSET] | (bytes[at + M_OFFSET + 1] << 8));
      for (let j = 0; j < BLOCK_WEIGHTS; j++) {
        values[first + j] = fround(codeAt(bytes, at + QH_OFFSET, at + QS_OFFSET, j) * d) + m;
      }
    }
  },

  encode(values, bytes, _, importance) {
    const weights = importance && rowErrorWeights(values, importance);
    const codes = new Uint8Array(BLOCK_WEIGHTS);
    for (let at = 0, first = 0; first < values.length; at += BLOCK_BYTES, first += BLOCK_WEIGHTS) {
      const block = values.subarray(first, first + BLOCK_WEIGHTS);
      const { scale, min } = weights
        ? fitAffine(block, weights.subarray(first, first + BLOCK_WEIGHTS), codes, weightedGrid(MAX_CODE))
        : fitExtremes(block, codes, MAX_CODE);
      const [d, m] = [f32ToF16(scale), f32ToF16(-min)];
      bytes.set([d, d >> 8, m, m >> 8], at);
      putCodes(bytes, at + QH_OFFSET, at + QS_OFFSET, codes);
    }
  },
};
