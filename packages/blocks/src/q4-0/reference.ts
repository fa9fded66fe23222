// Q4_0, reference (layout.ts). The weight of largest magnitude becomes code 0, that is −8 · d; so d may be negative. With
// importance step sizes around that one are tried too (search/symmetric.ts).
// Arithmetic as in ggml-quants.c quantize_row_q4_0_ref and quantize_row_q4_0_impl, every step rounded to F32.
import type { Codec } from '../codec.ts';
import { f16ToF32, resultToF16 } from '../half.ts';
import { truncateToInt8 } from '../rounding.ts';
import { rowErrorWeights } from '../search/error-weights.ts';
import { fitSymmetric } from '../search/symmetric.ts';
import { signedExtreme } from '../signed-extreme.ts';
import { BLOCK_BYTES, BLOCK_WEIGHTS, QS_OFFSET } from './layout.ts';

const { fround } = Math;
const HALF = BLOCK_WEIGHTS / 2;

export const q4_0: Codec = {
  weighting: 'row',

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

  encode(values, bytes, _, importance) {
    const weights = importance && rowErrorWeights(values, importance);
    const codes = new Uint8Array(BLOCK_WEIGHTS);
    for (let at = 0, first = 0; first < values.length; at += BLOCK_BYTES, first += BLOCK_WEIGHTS) {
      const block = values.subarray(first, first + BLOCK_WEIGHTS);
      const d = weights
        ? fitSymmetric(block, weights.subarray(first, first + BLOCK_WEIGHTS), codes, 8)
        : fitExtreme(block, codes);
      const half = resultToF16(d);
      bytes[at] = half;
      bytes[at + 1] = half >> 8;
      for (let j = 0; j < HALF; j++) bytes[at + QS_OFFSET + j] = codes[j] | (codes[HALF + j] << 4);
    }
  },
};

function fitExtreme(block: Float32Array, codes: Uint8Array): number {
  const d = fround(signedExtreme(block) / -8);
  const inverse = d ? fround(1 / d) : 0;
  for (const [j, x] of block.entries()) codes[j] = Math.min(15, truncateToInt8(fround(fround(x * inverse) + 8.5)));
  return d;
}
