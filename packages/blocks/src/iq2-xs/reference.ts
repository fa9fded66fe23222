// IQ2_XS, reference (layout.ts). Each sub-block is fitted on its own (search/grid.ts), then the scales are stored in 4 bits
// relative to the largest. Arithmetic as in ggml-quants.c quantize_row_iq2_xs_impl, every step rounded to F32.
import type { Codec } from '../codec.ts';
import { codeAt, iq2xsGrid } from '../grids/grid.ts';
import { iq2Magnitude } from '../grids/magnitudes.ts';
import { evenSigns, signed } from '../grids/signs.ts';
import { f16ToF32, f32ToF16 } from '../half.ts';
import { errorWeights, sumOfSquares } from '../search/error-weights.ts';
import { fitSubBlocks, type GridSearch } from '../search/grid.ts';
import { largestScale, NAN_SCALE, oddCodes, oddUnit } from '../search/odd-scales.ts';
import { GROUP_EPSILON } from '../search/symmetric.ts';
import { BLOCK_BYTES, BLOCK_WEIGHTS, QS_OFFSET, SCALES_OFFSET, SUB_BLOCKS } from './layout.ts';

const { fround } = Math;
const MAX_SCALE = 15;
const SEARCH: GridSearch = {
  grid: iq2xsGrid,
  maxCode: 2,
  tries: 9,
  step: fround(0.1),
  epsilon: GROUP_EPSILON,
  evenSigns: true,
  again: 'off-grid',
};

export const iq2Xs: Codec = {
  weighting: 'block',
  needsImportance: true,

  decode(bytes, values) {
    for (let at = 0, first = 0; first < values.length; at += BLOCK_BYTES, first += BLOCK_WEIGHTS) {
      const d = f16ToF32(bytes[at] | (bytes[at + 1] << 8));
      for (let i = 0; i < BLOCK_WEIGHTS; i++) {
        const qs = at + QS_OFFSET + 2 * (i >> 3);
        const packed = bytes[qs] | (bytes[qs + 1] << 8);
        const sc = (bytes[at + SCALES_OFFSET + (i >> 5)] >> (4 * ((i >> 4) & 1))) & 15;
        const magnitude = iq2Magnitude(codeAt(iq2xsGrid, iq2xsGrid.points[packed & 511], i & 7));
        values[first + i] = signed(fround(d * (sc + 0.5)) * 0.25 * magnitude, evenSigns(packed >> 9), i & 7);
      }
    }
  },

  encode(values, bytes, cols, importance) {
    for (let at = 0, first = 0; first < values.length; at += BLOCK_BYTES, first += BLOCK_WEIGHTS) {
      const columns = importance!.subarray(first % cols, (first % cols) + BLOCK_WEIGHTS);
      encodeBlock(values.subarray(first, first + BLOCK_WEIGHTS), columns, bytes.subarray(at, at + BLOCK_BYTES));
    }
  },
};

function encodeBlock(x: Float32Array, importance: Float32Array, block: Uint8Array): void {
  block.fill(0);
  const weights = errorWeights(x, importance, fround(sumOfSquares(x) / BLOCK_WEIGHTS));
  const fitted = fitSubBlocks(x, weights, BLOCK_WEIGHTS / SUB_BLOCKS, SEARCH);
  if (!fitted) {
    block.set([NAN_SCALE & 255, NAN_SCALE >> 8]);
    return;
  }
  const largest = largestScale(fitted.scales);
  if (largest === 0) return;
  const d = oddUnit(largest, MAX_SCALE);
  const half = f32ToF16(d);
  block.set([half, half >> 8]);
  for (const [j, sc] of oddCodes(fitted.scales, d, MAX_SCALE).entries()) {
    block[SCALES_OFFSET + (j >> 1)] |= sc << (4 * (j & 1));
    const { ranks, signs } = fitted.fits[j];
    for (const [k, rank] of ranks.entries()) {
      const packed = rank | ((signs[k] & 127) << 9);
      block.set([packed, packed >> 8], QS_OFFSET + 2 * (2 * j + k));
    }
  }
}
