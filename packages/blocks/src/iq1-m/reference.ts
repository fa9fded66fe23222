// IQ1_M, reference (layout.ts). Each sub-block is fitted on its own (cut.ts, search/three-levels.ts), the scales are stored in
// 3 bits relative to the largest, and then d is fitted to all that is stored.
// Arithmetic as in ggml-quants.c quantize_row_iq1_m_impl, every step rounded to F32.
import type { Codec } from '../codec.ts';
import { codeAt, iq1Grid } from '../grids/grid.ts';
import { f16ToF32, f32ToF16 } from '../half.ts';
import { DELTA } from '../iq1-s/layout.ts';
import { squares } from '../iq4-nl/levels.ts';
import { errorWeights, sumOfSquares } from '../search/error-weights.ts';
import { largestScale, NAN_SCALE, oddCodes, oddUnit } from '../search/odd-scales.ts';
import {
  addProjection,
  codesOf,
  LEVELS_DOWN,
  LEVELS_UP,
  type Levels,
  largestMagnitude,
  placeCodes,
} from '../search/three-levels.ts';
import { bestCut } from './cut.ts';
import { BLOCK_BYTES, BLOCK_WEIGHTS, QH_OFFSET, SCALES_OFFSET, SUB_BLOCKS } from './layout.ts';

const { fround } = Math;
const SUB_WEIGHTS = BLOCK_WEIGHTS / SUB_BLOCKS;
const MAX_SCALE = 7;
const EPSILON = fround(1e-7);
/** ggml stores more than the best scale. */
const FUDGE = fround(1.1125);

export const iq1M: Codec = {
  weighting: 'block',

  decode(bytes, values) {
    for (let at = 0, first = 0; first < values.length; at += BLOCK_BYTES, first += BLOCK_WEIGHTS) {
      const scales = at + SCALES_OFFSET;
      const d = f16ToF32([1, 3, 5, 7].reduce((bits, byte, k) => bits | ((bytes[scales + byte] >> 4) << (4 * k)), 0));
      for (let i = 0; i < BLOCK_WEIGHTS; i++) {
        const j = i >> 4;
        const packed = bytes[scales + 2 * (j >> 2)] | (bytes[scales + 2 * (j >> 2) + 1] << 8);
        const high = bytes[at + QH_OFFSET + j] >> (4 * ((i >> 3) & 1));
        const rank = bytes[at + (i >> 3)] | ((high & 7) << 8);
        const level = codeAt(iq1Grid, iq1Grid.points[rank], i & 7) - 1 + (high & 8 ? -DELTA : DELTA);
        values[first + i] = fround(d * (2 * ((packed >> (3 * (j & 3))) & 7) + 1)) * level;
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

interface Fit {
  scale: number;
  ranks: Uint16Array;
  levels: readonly [Levels, Levels];
}

function encodeBlock(x: Float32Array, importance: Float32Array | undefined, block: Uint8Array): void {
  block.fill(0);
  const meanSquare2 = fround(fround(2 * sumOfSquares(x)) / BLOCK_WEIGHTS);
  const weights = importance ? errorWeights(x, importance, meanSquare2) : squares(x);
  const subOf = (array: Float32Array, j: number) => array.subarray(j * SUB_WEIGHTS, (j + 1) * SUB_WEIGHTS);
  const fits: Fit[] = [];
  for (let j = 0; j < SUB_BLOCKS; j++) {
    const fit = fitSubBlock(subOf(x, j), subOf(weights, j));
    if (!fit) {
      block.fill(0);
      storeUnit(block, NAN_SCALE);
      return;
    }
    fits.push(fit);
    block.set(fit.ranks, 2 * j);
    block[QH_OFFSET + j] = (fit.ranks[0] >> 8) | ((fit.ranks[1] >> 8) << 4);
  }
  const scales = Float32Array.from(fits, (fit) => fit.scale);
  const largest = largestScale(scales);
  if (largest === 0) return;
  let d = oddUnit(largest, MAX_SCALE);
  const sums = { sumQX: 0, sumQ2: 0 };
  for (const [j, sc] of oddCodes(scales, d, MAX_SCALE).entries()) {
    const { ranks, levels } = fits[j];
    const packed = sc << (3 * (j & 3));
    block[SCALES_OFFSET + 2 * (j >> 2)] |= packed;
    block[SCALES_OFFSET + 2 * (j >> 2) + 1] |= packed >> 8;
    block[QH_OFFSET + j] |= (levels[0] === LEVELS_DOWN ? 0x08 : 0) | (levels[1] === LEVELS_DOWN ? 0x80 : 0);
    addProjection(sums, subOf(x, j), subOf(weights, j), ranks, levels, 2 * sc + 1);
  }
  if (sums.sumQ2 > 0) d = fround(sums.sumQX / sums.sumQ2);
  storeUnit(block, f32ToF16(fround(d * FUDGE)));
}

/** The sixteen bits of d, four to each number of scales. */
function storeUnit(block: Uint8Array, bits: number): void {
  for (let k = 0; k < 4; k++) block[SCALES_OFFSET + 2 * k + 1] |= ((bits >> (4 * k)) & 15) << 4;
}

/** Undefined where ggml ends the program. */
function fitSubBlock(x: Float32Array, weights: Float32Array): Fit | undefined {
  const zero: Fit = { scale: 0, ranks: new Uint16Array(2), levels: [LEVELS_UP, LEVELS_UP] };
  if (largestMagnitude(x) < EPSILON) return zero;
  const cut = bestCut(x, weights);
  if (!cut) return zero;
  const mirrored = cut.scale < 0;
  const turned = (levels: Levels) => (mirrored === (levels === LEVELS_UP) ? LEVELS_DOWN : LEVELS_UP);
  const levels = [turned(cut.levels[0]), turned(cut.levels[1])] as const;
  let scale = Math.abs(cut.scale);
  const placed = placeCodes(x, weights, codesOf(cut.order, cut, mirrored), scale, levels);
  if (!placed) return undefined;
  if (!placed.allOnGrid) {
    const sums = { sumQX: 0, sumQ2: 0 };
    addProjection(sums, x, weights, placed.ranks, levels);
    if (sums.sumQX > 0 && sums.sumQ2 > 0) scale = fround(sums.sumQX / sums.sumQ2);
  }
  return Number.isNaN(scale) ? undefined : { scale, ranks: placed.ranks, levels };
}
