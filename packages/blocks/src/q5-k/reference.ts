// Q5_K, reference (layout.ts): Q4_K with 32 codes instead of 16, and a coarser search.
// Arithmetic as in ggml-quants.c quantize_row_q5_K_ref and quantize_row_q5_K_impl, every step rounded to F32.
import type { Codec } from '../codec.ts';
import { encodeSubBlocks, storedFit } from '../q4-k/sub-blocks.ts';
import { BLOCK_BYTES, BLOCK_WEIGHTS, QH_OFFSET, QS_OFFSET, SUB_BLOCKS, SUB_WEIGHTS } from './layout.ts';

const { fround } = Math;
const GRID = { maxCode: 31, first: -0.5, step: fround(0.1), steps: 15 };

export const q5K: Codec = {
  weighting: 'block',

  decode(bytes, values) {
    for (let at = 0, first = 0; first < values.length; at += BLOCK_BYTES, first += BLOCK_WEIGHTS) {
      for (let j = 0; j < SUB_BLOCKS; j++) {
        const { scale, min } = storedFit(bytes, at, j);
        const shift = j % 2 === 0 ? 0 : 4;
        for (let l = 0; l < SUB_WEIGHTS; l++) {
          const low = (bytes[at + QS_OFFSET + SUB_WEIGHTS * (j >> 1) + l] >> shift) & 15;
          const q = low | (((bytes[at + QH_OFFSET + l] >> j) & 1) << 4);
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
      encodeSubBlocks(x, weights, GRID, block, codes, 63);
      packCodes(codes, block);
    }
  },
};

function packCodes(codes: Uint8Array, block: Uint8Array): void {
  block.fill(0, QH_OFFSET, BLOCK_BYTES);
  for (const [i, q] of codes.entries()) {
    const j = Math.floor(i / SUB_WEIGHTS);
    const l = i % SUB_WEIGHTS;
    block[QS_OFFSET + SUB_WEIGHTS * (j >> 1) + l] |= (q & 15) << (j % 2 === 0 ? 0 : 4);
    block[QH_OFFSET + l] |= (q >> 4) << j;
  }
}
