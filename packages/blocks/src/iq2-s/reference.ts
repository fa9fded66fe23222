// IQ2_S, reference (layout.ts). Each sub-block is fitted on its own (search/grid.ts), then the scales are stored in 4 bits
// relative to the largest. Arithmetic as in ggml-quants.c quantize_row_iq2_s_impl, every step rounded to F32.
import type { Codec } from '../codec.ts';
import { codeAt, iq2sGrid } from '../grids/grid.ts';
import { iq2Magnitude } from '../grids/magnitudes.ts';
import { signed } from '../grids/signs.ts';
import { f16ToF32, f32ToF16 } from '../half.ts';
import { errorWeights, sumOfSquares } from '../search/error-weights.ts';
import { fitSubBlocks, type GridSearch } from '../search/grid.ts';
import { largestScale, NAN_SCALE, oddCodes, oddUnit } from '../search/odd-scales.ts';
import { BLOCK_BYTES, BLOCK_WEIGHTS, QH_OFFSET, QS_OFFSET, SCALES_OFFSET, SIGNS_OFFSET, SUB_BLOCKS } from './layout.ts';

const { fround } = Math;
const MAX_SCALE = 15;
/** ggml stores a little less than the best scale. */
const FUDGE = fround(0.9875);
const SEARCH: GridSearch = {
  grid: iq2sGrid,
  maxCode: 2,
  tries: 9,
  step: fround(0.1),
  epsilon: fround(1e-8),
  evenSigns: false,
  again: 'off-grid',
};

export const iq2S: Codec = {
  weighting: 'block',

  decode(bytes, values) {
    for (let at = 0, first = 0; first < values.length; at += BLOCK_BYTES, first += BLOCK_WEIGHTS) {
      const d = f16ToF32(bytes[at] | (bytes[at + 1] << 8));
      for (let i = 0; i < BLOCK_WEIGHTS; i++) {
        const l = i >> 3;
        const high = (bytes[at + QH_OFFSET + (l >> 2)] >> (2 * (l & 3))) & 3;
        const sc = (bytes[at + SCALES_OFFSET + (i >> 5)] >> (4 * ((i >> 4) & 1))) & 15;
        const point = iq2sGrid.points[bytes[at + QS_OFFSET + l] | (high << 8)];
        const magnitude = iq2Magnitude(codeAt(iq2sGrid, point, i & 7));
        values[first + i] = signed(fround(d * (sc + 0.5)) * 0.25 * magnitude, bytes[at + SIGNS_OFFSET + l], i & 7);
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
  const weights = importance
    ? errorWeights(x, importance, meanSquare2)
    : x.map((value) => fround(0.25 * meanSquare2) + fround(value * value));
  const fitted = fitSubBlocks(x, weights, BLOCK_WEIGHTS / SUB_BLOCKS, SEARCH);
  if (!fitted) {
    block.set([NAN_SCALE & 255, NAN_SCALE >> 8]);
    return;
  }
  for (const [j, { ranks, signs }] of fitted.fits.entries()) {
    for (const [k, rank] of ranks.entries()) {
      const l = 2 * j + k;
      block[QS_OFFSET + l] = rank;
      block[QH_OFFSET + (l >> 2)] |= (rank >> 8) << (2 * (l & 3));
      block[SIGNS_OFFSET + l] = signs[k];
    }
  }
  const largest = largestScale(fitted.scales);
  if (largest === 0) return;
  const d = oddUnit(largest, MAX_SCALE);
  const half = f32ToF16(fround(d * FUDGE));
  block.set([half, half >> 8]);
  for (const [j, sc] of oddCodes(fitted.scales, d, MAX_SCALE).entries()) {
    block[SCALES_OFFSET + (j >> 1)] |= sc << (4 * (j & 1));
  }
}
