// IQ3_XXS, reference (layout.ts). Each sub-block is fitted on its own (search/grid.ts), then the scales are stored in 4 bits
// relative to the largest. Arithmetic as in ggml-quants.c quantize_row_iq3_xxs_impl, every step rounded to F32.
import type { Codec } from '../codec.ts';
import { codeAt, iq3xxsGrid } from '../grids/grid.ts';
import { iq3xxsMagnitude } from '../grids/magnitudes.ts';
import { evenSigns, signed } from '../grids/signs.ts';
import { f16ToF32, f32ToF16 } from '../half.ts';
import { squares } from '../iq4-nl/levels.ts';
import { errorWeights, sumOfSquares } from '../search/error-weights.ts';
import { fitSubBlocks, type GridSearch } from '../search/grid.ts';
import { largestScale, NAN_SCALE, oddCodes, oddUnit } from '../search/odd-scales.ts';
import { BLOCK_BYTES, BLOCK_WEIGHTS, QS_OFFSET, SUB_BLOCKS, WORDS_OFFSET } from './layout.ts';

const { fround } = Math;
const MAX_SCALE = 15;
/** ggml stores a little more than the best scale. */
const FUDGE = fround(1.0125);
const SEARCH: GridSearch = {
  grid: iq3xxsGrid,
  maxCode: 7,
  tries: 15,
  step: fround(0.2),
  epsilon: fround(1e-8),
  evenSigns: true,
  again: 'off-grid',
};

export const iq3Xxs: Codec = {
  weighting: 'block',

  decode(bytes, values) {
    for (let at = 0, first = 0; first < values.length; at += BLOCK_BYTES, first += BLOCK_WEIGHTS) {
      const d = f16ToF32(bytes[at] | (bytes[at + 1] << 8));
      for (let i = 0; i < BLOCK_WEIGHTS; i++) {
        const word = wordAt(bytes, at + WORDS_OFFSET + 4 * (i >> 5));
        const point = iq3xxsGrid.points[bytes[at + QS_OFFSET + (i >> 2)]];
        const magnitude = iq3xxsMagnitude(codeAt(iq3xxsGrid, point, i & 3));
        const signs = evenSigns((word >>> (7 * ((i >> 3) & 3))) & 127);
        values[first + i] = signed(fround(d * ((word >>> 28) + 0.5)) * 0.5 * magnitude, signs, i & 7);
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
  const fitted = fitSubBlocks(x, weights, BLOCK_WEIGHTS / SUB_BLOCKS, SEARCH);
  if (!fitted) {
    block.set([NAN_SCALE & 255, NAN_SCALE >> 8]);
    return;
  }
  const largest = largestScale(fitted.scales);
  if (largest === 0) return;
  const d = oddUnit(largest, MAX_SCALE);
  const half = f32ToF16(fround(d * FUDGE));
  block.set([half, half >> 8]);
  const codes = oddCodes(fitted.scales, d, MAX_SCALE);
  for (const [j, { ranks, signs }] of fitted.fits.entries()) {
    block.set(ranks, QS_OFFSET + 8 * j);
    const word = signs.reduce((bits, eight, group) => bits | ((eight & 127) << (7 * group)), codes[j] << 28);
    block.set([word, word >> 8, word >> 16, word >> 24], WORDS_OFFSET + 4 * j);
  }
}

const wordAt = (bytes: Uint8Array, at: number) =>
  bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
