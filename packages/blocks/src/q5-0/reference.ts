// Q5_0, reference (layout.ts). The weight of largest magnitude becomes code 0, that is −16 · d; so d may be negative. With
// importance step sizes around that one are tried too (search/symmetric.ts).
// Arithmetic as in ggml-quants.c quantize_row_q5_0_ref and quantize_row_q5_0_impl, every step rounded to F32.
import type { Codec } from '../codec.ts';
import { f16ToF32, resultToF16 } from '../half.ts';
import { truncateToInt8 } from '../rounding.ts';
import { rowErrorWeights } from '../search/error-weights.ts';
import { fitSymmetric } from '../search/symmetric.ts';
import { signedExtreme } from '../signed-extreme.ts';
import { codeAt, putCodes } from './codes.ts';
import { BLOCK_BYTES, BLOCK_WEIGHTS, QH_OFFSET, QS_OFFSET } from './layout.ts';

const { fround } = Math;

export const q5_0: Codec = {
  weighting: 'row',

  decode(bytes, values) {
    for (let at = 0, first = 0; first < values.length; at += BLOCK_BYTES, first += BLOCK_WEIGHTS) {
      const d = f16ToF32(bytes[at] | (bytes[at + 1] << 8));
      for (let j = 0; j < BLOCK_WEIGHTS; j++) {
        values[first + j] = (codeAt(bytes, at + QH_OFFSET, at + QS_OFFSET, j) - 16) * d;
      }
    }
  },

  encode(values, bytes, _, importance) {
    const weights = importance && rowErrorWeights(values, importance);
    const codes = new Uint8Array(BLOCK_WEIGHTS);
    for (let at = 0, first = 0; first < values.length; at += BLOCK_BYTES, first += BLOCK_WEIGHTS) {
      const block = values.subarray(first, first + BLOCK_WEIGHTS);
      const d = weights
        ? fitSymmetric(block, weights.subarray(first, first + BLOCK_WEIGHTS), codes, 16)
        : fitExtreme(block, codes);
      const half = resultToF16(d);
      bytes[at] = half;
      bytes[at + 1] = half >> 8;
      putCodes(bytes, at + QH_OFFSET, at + QS_OFFSET, codes);
    }
  },
};

function fitExtreme(block: Float32Array, codes: Uint8Array): number {
  const d = fround(signedExtreme(block) / -16);
  const inverse = d ? fround(1 / d) : 0;
  for (const [j, x] of block.entries()) codes[j] = Math.min(31, truncateToInt8(fround(fround(x * inverse) + 16.5)));
  return d;
}
