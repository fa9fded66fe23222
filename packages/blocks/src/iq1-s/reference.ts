// IQ1_S, reference (layout.ts). Each sub-block is fitted on its own (cut.ts, search/three-levels.ts), then the scales are
// stored in 3 bits relative to the largest.
// Arithmetic as in ggml-quants.c quantize_row_iq1_s_impl, every step rounded to F32.
import type { Codec } from '../codec.ts';
import { codeAt, iq1Grid } from '../grids/grid.ts';
import { f16ToF32, f32ToF16 } from '../half.ts';
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
import { BLOCK_BYTES, BLOCK_WEIGHTS, DELTA, QH_OFFSET, QS_OFFSET, SUB_BLOCKS } from './layout.ts';

const { fround } = Math;
const SUB_WEIGHTS = BLOCK_WEIGHTS / SUB_BLOCKS;
const MAX_SCALE = 7;
const EPSILON = fround(1e-12);
/** ggml stores more than the best scale. */
const FUDGE = 1.125;

export const iq1S: Codec = {
  weighting: 'block',
  needsImportance: true,

  decode(bytes, values) {
    for (let at = 0, first = 0; first < values.length; at += BLOCK_BYTES, first += BLOCK_WEIGHTS) {
      const d = f16ToF32(bytes[at] | (bytes[at + 1] << 8));
      for (let i = 0; i < BLOCK_WEIGHTS; i++) {
        const qh = at + QH_OFFSET + 2 * (i >> 5);
        const high = bytes[qh] | (bytes[qh + 1] << 8);
        const rank = bytes[at + QS_OFFSET + (i >> 3)] | (((high >> (3 * ((i >> 3) & 3))) & 7) << 8);
        const level = codeAt(iq1Grid, iq1Grid.points[rank], i & 7) - 1 + (high & 0x8000 ? -DELTA : DELTA);
        values[first + i] = fround(d * (2 * ((high >> 12) & 7) + 1)) * level;
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
  const weights = errorWeights(x, importance, fround(fround(2 * sumOfSquares(x)) / BLOCK_WEIGHTS));
  const scales = new Float32Array(SUB_BLOCKS);
  const high = new Uint16Array(SUB_BLOCKS);
  for (let j = 0; j < SUB_BLOCKS; j++) {
    const [sub, subWeights] = [x, weights].map((array) => array.subarray(j * SUB_WEIGHTS, (j + 1) * SUB_WEIGHTS));
    const fit = fitSubBlock(sub, subWeights);
    if (!fit) {
      block.fill(0);
      block.set([NAN_SCALE & 255, NAN_SCALE >> 8]);
      return;
    }
    scales[j] = fit.scale;
    block.set(fit.ranks, QS_OFFSET + 4 * j);
    high[j] = fit.ranks.reduce((bits, rank, k) => bits | ((rank >> 8) << (3 * k)), 0);
    if (fit.levels === LEVELS_DOWN) high[j] |= 0x8000;
  }
  const largest = largestScale(scales);
  const d = oddUnit(largest, MAX_SCALE);
  const codes = oddCodes(scales, d, MAX_SCALE);
  for (let j = 0; j < SUB_BLOCKS; j++) {
    const bits = largest === 0 ? high[j] & 0xfff : high[j] | (codes[j] << 12);
    block.set([bits, bits >> 8], QH_OFFSET + 2 * j);
  }
  if (largest === 0) return;
  const half = f32ToF16(fround(d * FUDGE));
  block.set([half, half >> 8]);
}

/** Undefined where ggml ends the program. */
function fitSubBlock(
  x: Float32Array,
  weights: Float32Array,
): { scale: number; ranks: Uint16Array; levels: Levels } | undefined {
  const zero = { scale: 0, ranks: new Uint16Array(4), levels: LEVELS_UP };
  if (largestMagnitude(x) < EPSILON) return zero;
  const cut = bestCut(x, weights);
  if (!cut) return zero;
  const mirrored = cut.scale < 0;
  const levels = mirrored === (cut.levels === LEVELS_UP) ? LEVELS_DOWN : LEVELS_UP;
  let scale = Math.abs(cut.scale);
  const allLevels = [levels, levels, levels, levels];
  const placed = placeCodes(x, weights, codesOf(cut.order, cut, mirrored), scale, allLevels);
  if (!placed) return undefined;
  if (!placed.allOnGrid) {
    const sums = { sumQX: 0, sumQ2: 0 };
    addProjection(sums, x, weights, placed.ranks, allLevels);
    if (sums.sumQX > 0 && sums.sumQ2 > 0) scale = fround(sums.sumQX / sums.sumQ2);
  }
  return Number.isNaN(scale) ? undefined : { scale, ranks: placed.ranks, levels };
}
