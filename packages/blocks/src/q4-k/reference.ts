// Q4_K, reference (layout.ts). Each sub-block is fitted on its own (search/affine.ts), then all scales and minima are
// stored in 6 bits relative to the largest, and the codes are rounded again with what is really stored.
// Arithmetic as in ggml-quants.c quantize_row_q4_K_ref and quantize_row_q4_K_impl, every step rounded to F32.
import type { Codec } from '../codec.ts';
import { BLOCK_BYTES, BLOCK_WEIGHTS, QS_OFFSET, SUB_BLOCKS, SUB_WEIGHTS } from './layout.ts';
import { encodeSubBlocks, storedFit } from './sub-blocks.ts';

const { fround } = Math;
const GRID = { maxCode: 15, first: -1, step: fround(0.1), steps: 20 };

export const q4K: Codec = {
  weighting: 'block',

  decode(bytes, values) {
    for (let at = 0, first = 0; first < values.length; at += BLOCK_BYTES, first += BLOCK_WEIGHTS) {
      for (let j = 0; j < SUB_BLOCKS; j++) {
        const { scale, min } = storedFit(bytes, at, j);
        const shift = j % 2 === 0 ? 0 : 4;
        for (let l = 0; l < SUB_WEIGHTS; l++) {
          const q = (bytes[at + QS_OFFSET + SUB_WEIGHTS * (j >> 1) + l] >> shift) & 15;
          values[first + SUB_WEIGHTS * j + l] = fround(scale * q) - min;
        }
      }
    }
  },

  encode(values, bytes, cols, importance) {
    const codes = new Uint8Array(BLOCK_WEIGHTS);
    for (let at = 0, first = 0; first < values.length; at += BLOCK_BYTES, first += BLOCK_WEIGHTS) {
      const x = values.subarray(first, first + BLOCK_WEIGHTS);
      const block = bytes.subarray(at, at + BLOCK_BYTES);
      const weights = importance?.subarray(first % cols, (first % cols) + BLOCK_WEIGHTS);
      encodeSubBlocks(x, weights, GRID, block, codes, 255);
      packCodes(codes, block);
    }
  },
};

function packCodes(codes: Uint8Array, block: Uint8Array): void {
  for (let pair = 0; pair < SUB_BLOCKS / 2; pair++) {
    for (let l = 0; l < SUB_WEIGHTS; l++) {
      const low = codes[2 * pair * SUB_WEIGHTS + l];
      block[QS_OFFSET + SUB_WEIGHTS * pair + l] = low | (codes[(2 * pair + 1) * SUB_WEIGHTS + l] << 4);
    }
  }
}
