// IQ2_XXS, reference (layout.ts). Each sub-block is fitted on its own (search/grid.ts), then the scales are stored in 4 bits
// relative to the largest. Arithmetic as in ggml-quants.c quantize_row_iq2_xxs_impl, every step rounded to F32.
import type { Codec } from '../codec.ts';
import { codeAt, iq2xxsGrid } from '../grids/grid.ts';
import { iq2Magnitude } from '../grids/magnitudes.ts';
import { evenSigns, signed } from '../grids/signs.ts';
import { f16ToF32, f32ToF16 } from '../half.ts';
import { errorWeights, sumOfSquares } from '../search/error-weights.ts';
import { fitSubBlocks, type GridSearch } from '../search/grid.ts';
import { largestScale, NAN_SCALE, oddCodes, oddUnit } from '../search/odd-scales.ts';
import { GROUP_EPSILON } from '../search/symmetric.ts';
import { BLOCK_BYTES, BLOCK_WEIGHTS, QS_OFFSET, SUB_BLOCKS } from './layout.ts';

const { fround } = Math;
const SUB_WEIGHTS = BLOCK_WEIGHTS / SUB_BLOCKS;
const MAX_SCALE = 15;
const SEARCH: GridSearch = {
  grid: iq2xxsGrid,
  maxCode: 2,
  tries: 6,
  step: fround(0.1),
  epsilon: GROUP_EPSILON,
  evenSigns: true,
  fromPositive: true,
  again: 'all',
};

export const iq2Xxs: Codec = {
  weighting: 'block',
  needsImportance: true,

  decode(bytes, values) {
    for (let at = 0, first = 0; first < values.length; at += BLOCK_BYTES, first += BLOCK_WEIGHTS) {
      const d = f16ToF32(bytes[at] | (bytes[at + 1] << 8));
      for (let i = 0; i < BLOCK_WEIGHTS; i++) {
        const sub = at + QS_OFFSET + 8 * (i >> 5);
        const group = (i >> 3) & 3;
        const word = wordAt(bytes, sub + 4);
        const scale = fround(d * ((word >>> 28) + 0.5)) * 0.25;
        const magnitude = iq2Magnitude(codeAt(iq2xxsGrid, iq2xxsGrid.points[bytes[sub + group]], i & 7));
        values[first + i] = signed(scale * magnitude, evenSigns((word >>> (7 * group)) & 127), i & 7);
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
  const fitted = fitSubBlocks(x, weights, SUB_WEIGHTS, SEARCH);
  if (!fitted) {
    block.set([NAN_SCALE & 255, NAN_SCALE >> 8]);
    return;
  }
  const largest = largestScale(fitted.scales);
  if (largest === 0) return;
  const d = oddUnit(largest, MAX_SCALE);
  const half = f32ToF16(d);
  block.set([half, half >> 8]);
  const codes = oddCodes(fitted.scales, d, MAX_SCALE);
  for (const [j, { ranks, signs }] of fitted.fits.entries()) {
    const sub = QS_OFFSET + 8 * j;
    block.set(ranks, sub);
    const word = signs.reduce((bits, eight, group) => bits | ((eight & 127) << (7 * group)), codes[j] << 28);
    block.set([word, word >> 8, word >> 16, word >> 24], sub + 4);
  }
}

const wordAt = (bytes: Uint8Array, at: number) =>
  bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
