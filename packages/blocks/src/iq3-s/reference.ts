// IQ3_S, reference (layout.ts). Each sub-block is fitted on its own (search/grid.ts), then the scales are stored in 4 bits
// relative to the largest. Arithmetic as in ggml-quants.c quantize_row_iq3_s_impl, every step rounded to F32.
import type { Codec } from '../codec.ts';
import { codeAt, iq3sGrid } from '../grids/grid.ts';
import { signed } from '../grids/signs.ts';
import { f16ToF32, f32ToF16 } from '../half.ts';
import { squares } from '../iq4-nl/levels.ts';
import { errorWeights, sumOfSquares } from '../search/error-weights.ts';
import { fitSubBlocks, type GridSearch } from '../search/grid.ts';
import { largestScale, NAN_SCALE, oddCodes, oddUnit } from '../search/odd-scales.ts';
import { BLOCK_BYTES, BLOCK_WEIGHTS, QH_OFFSET, QS_OFFSET, SCALES_OFFSET, SIGNS_OFFSET, SUB_BLOCKS } from './layout.ts';

const { fround } = Math;
const SUB_WEIGHTS = BLOCK_WEIGHTS / SUB_BLOCKS;
const MAX_SCALE = 15;
/** ggml stores a little more than the best scale. */
const FUDGE = fround(1.033);
const SEARCH: GridSearch = {
  grid: iq3sGrid,
  maxCode: 7,
  tries: 9,
  step: fround(0.2),
  epsilon: 2 ** -149,
  evenSigns: false,
  again: 'all-if-off-grid',
};

export const iq3S: Codec = {
  weighting: 'block',

  decode(bytes, values) {
    for (let at = 0, first = 0; first < values.length; at += BLOCK_BYTES, first += BLOCK_WEIGHTS) {
      const d = f16ToF32(bytes[at] | (bytes[at + 1] << 8));
      for (let i = 0; i < BLOCK_WEIGHTS; i++) {
        const g = i >> 2;
        const high = (bytes[at + QH_OFFSET + (g >> 3)] >> (g & 7)) & 1;
        const sc = (bytes[at + SCALES_OFFSET + (i >> 6)] >> (4 * ((i >> 5) & 1))) & 15;
        const q = codeAt(iq3sGrid, iq3sGrid.points[bytes[at + QS_OFFSET + g] | (high << 8)], i & 3);
        values[first + i] = signed(d * (2 * sc + 1) * (2 * q + 1), bytes[at + SIGNS_OFFSET + (i >> 3)], i & 7);
      }
    }
  },

  encode(values, bytes, cols, importance) {
    for (let at = 0, first = 0; first < values.length; at += BLOCK_BYTES, first += BLOCK_WEIGHTS) {
      const columns = importance?.subarray(first % cols, (first % cols) + BLOCK_WEIGHTS);
      encodeBlock(values.subarray(first, first + BLOCK_WEIGHTS), columns, bytes.subarray(at, at + BLOCK_BYTES));
    }
  },
};

function encodeBlock(x: Float32Array, importance: Float32Array | undefined, block: Uint8Array): void {
  block.fill(0);
  const meanSquare2 = fround(fround(2 * sumOfSquares(x)) / BLOCK_WEIGHTS);
  const weights = importance ? errorWeights(x, importance, meanSquare2) : squares(x);
  const fitted = fitSubBlocks(x, weights, SUB_WEIGHTS, SEARCH);
  if (!fitted) {
    block.set([NAN_SCALE & 255, NAN_SCALE >> 8]);
    return;
  }
  storePoints(x, fitted.fits, block);
  const largest = largestScale(fitted.scales);
  if (largest === 0) return;
  const d = oddUnit(largest, MAX_SCALE);
  const half = f32ToF16(fround(d * FUDGE));
  block.set([half, half >> 8]);
  for (const [j, sc] of oddCodes(fitted.scales, d, MAX_SCALE).entries()) {
    block[SCALES_OFFSET + (j >> 1)] |= sc << (4 * (j & 1));
  }
}

/**
 * Indices and signs. ggml does not move on after a sub-block of zeros: the lower bits of indices and the signs of those that
 * follow land in its place (the ninth bits do not). It reads them where they belong, so such blocks decode to something else.
 */
function storePoints(
  x: Float32Array,
  fits: readonly { ranks: Uint16Array; signs: Uint8Array }[],
  block: Uint8Array,
): void {
  let place = 0;
  for (const [j, { ranks, signs }] of fits.entries()) {
    if (x.subarray(j * SUB_WEIGHTS, (j + 1) * SUB_WEIGHTS).every((value) => value === 0)) continue;
    block.set(ranks, QS_OFFSET + 8 * place);
    block.set(signs, SIGNS_OFFSET + 4 * place);
    for (const [k, rank] of ranks.entries()) block[QH_OFFSET + j] |= (rank >> 8) << k;
    place++;
  }
}
