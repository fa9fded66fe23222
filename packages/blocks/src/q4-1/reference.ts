// Q4_1, reference (layout.ts). The smallest weight becomes code 0, the largest 15; with importance step sizes around that
// one are tried too (search/affine.ts), and m is never above 0.
// Arithmetic as in ggml-quants.c quantize_row_q4_1_ref and quantize_row_q4_1_impl, every step rounded to F32.
import type { Codec } from '../codec.ts';
import { f16ToF32, f32ToF16 } from '../half.ts';
import { fitAffine, weightedGrid } from '../search/affine.ts';
import { rowErrorWeights } from '../search/error-weights.ts';
import { fitExtremes } from './extremes.ts';
import { BLOCK_BYTES, BLOCK_WEIGHTS, M_OFFSET, QS_OFFSET } from './layout.ts';

const { fround } = Math;
const HALF = BLOCK_WEIGHTS / 2;
const MAX_CODE = 15;

export const q4_1: Codec = {
  weighting: 'row',

  decode(bytes, values) {
    for (let at = 0, first = 0; first < values.length; at += BLOCK_BYTES, first += BLOCK_WEIGHTS) {
      const d = f16ToF32(bytes[at] | (bytes[at + 1] << 8));
      const m = f16ToF32(bytes[at + M_OFFSET] | (bytes[at + M_OFFSET + 1] << 8));
      for (let j = 0; j < HALF; j++) {
        const packed = bytes[at + QS_OFFSET + j];
        values[first + j] = fround((packed & 15) * d) + m;
        values[first + HALF + j] = fround((packed >> 4) * d) + m;
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
      for (let j = 0; j < HALF; j++) {
        bytes[at + QS_OFFSET + j] = Math.min(MAX_CODE, codes[j]) | (Math.min(MAX_CODE, codes[HALF + j]) << 4);
      }
    }
  },
};
