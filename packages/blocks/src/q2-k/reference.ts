// Q2_K, reference (layout.ts). Each sub-block is fitted on its own (search/affine.ts), then all scales and minima are
// stored in 4 bits relative to the largest, and the codes are rounded again with what is really stored.
// Arithmetic as in ggml-quants.c quantize_row_q2_K_ref and quantize_row_q2_K_impl, every step rounded to F32.
import type { Codec } from '../codec.ts';
import { f16ToF32, resultToF16 } from '../half.ts';
import { clamp, nearestInt } from '../rounding.ts';
import { type AffineFit, fitAffine, weightedGrid } from '../search/affine.ts';
import { errorWeights, sumOfSquares, sumOfWeights } from '../search/error-weights.ts';
import { fitPositive } from '../search/positive.ts';
import {
  BLOCK_BYTES,
  BLOCK_WEIGHTS,
  D_OFFSET,
  DMIN_OFFSET,
  putTwoBits,
  QS_OFFSET,
  SUB_BLOCKS,
  SUB_WEIGHTS,
  twoBitsAt,
} from './layout.ts';

const { fround } = Math;
const MAX_CODE = 3;
const MAX_SCALE = 15;
const GRID = { maxCode: MAX_CODE, first: -0.5, step: fround(0.1), steps: 15, absolute: true };

export const q2K: Codec = {
  weighting: 'block',

  decode(bytes, values) {
    for (let at = 0, first = 0; first < values.length; at += BLOCK_BYTES, first += BLOCK_WEIGHTS) {
      for (let i = 0; i < BLOCK_WEIGHTS; i++) {
        const { scale, min } = storedFit(bytes, at, i >> 4);
        values[first + i] = fround(scale * twoBitsAt(bytes, at + QS_OFFSET, i)) - min;
      }
    }
  },

  encode(values, bytes, cols, importance) {
    const codes = new Uint8Array(BLOCK_WEIGHTS);
    for (let at = 0, first = 0; first < values.length; at += BLOCK_BYTES, first += BLOCK_WEIGHTS) {
      const x = values.subarray(first, first + BLOCK_WEIGHTS);
      const block = bytes.subarray(at, at + BLOCK_BYTES);
      encodeBlock(x, importance?.subarray(first % cols, (first % cols) + BLOCK_WEIGHTS), block, codes);
    }
  },
};

function encodeBlock(x: Float32Array, importance: Float32Array | undefined, block: Uint8Array, codes: Uint8Array) {
  const subOf = <T extends Float32Array | Uint8Array>(array: T, j: number) =>
    array.subarray(j * SUB_WEIGHTS, (j + 1) * SUB_WEIGHTS) as T;
  const meanSquare = fround(sumOfSquares(x) / BLOCK_WEIGHTS);
  const sums = new Float32Array(SUB_BLOCKS);
  const fits = Array.from({ length: SUB_BLOCKS }, (_, j) => {
    const sub = subOf(x, j);
    if (!importance) return fitAffine(sub, sub.map(Math.abs), subOf(codes, j), GRID);
    const weights = errorWeights(sub, subOf(importance, j), meanSquare);
    sums[j] = sumOfWeights(weights);
    return fitAffine(sub, weights, subOf(codes, j), weightedGrid(MAX_CODE));
  });
  const pick = (of: keyof AffineFit) => Float32Array.from(fits, (fit) => fit[of]);
  const store = (values: Float32Array) => (importance ? storeFitted(values, sums) : storeRelative(values));
  const scales = store(pick('scale'));
  const mins = store(pick('min'));
  for (let j = 0; j < SUB_BLOCKS; j++) block[j] = scales.codes[j] | (mins.codes[j] << 4);
  const [d, dmin] = [resultToF16(scales.unit), resultToF16(mins.unit)];
  block.set([d, d >> 8, dmin, dmin >> 8], D_OFFSET);

  block.fill(0, QS_OFFSET, D_OFFSET);
  for (let i = 0; i < BLOCK_WEIGHTS; i++) {
    const { scale, min } = storedFit(block, 0, i >> 4);
    // Where the stored scale is 0, ggml keeps the code of the search.
    const code = scale === 0 ? codes[i] : clamp(nearestInt(fround(fround(x[i] + min) / scale)), 0, MAX_CODE);
    putTwoBits(block, QS_OFFSET, i, code);
  }
}

/** Scales or minima as bytes, and what one unit of those is worth. */
interface Stored {
  readonly codes: Uint8Array;
  readonly unit: number;
}

/** Relative to the largest, which becomes 15. */
function storeRelative(values: Float32Array): Stored {
  const max = values.reduce((largest, value) => (value > largest ? value : largest), 0);
  const inverse = max > 0 ? fround(MAX_SCALE / max) : 0;
  const codes = Uint8Array.from(values, (value) => nearestInt(fround(inverse * value)));
  return { codes, unit: fround(max / MAX_SCALE) };
}

/** Fitted among themselves, each counting as much as the weights of its sub-block. */
function storeFitted(values: Float32Array, sums: Float32Array): Stored {
  const codes = new Uint8Array(SUB_BLOCKS);
  return { unit: fitPositive(values, sums, codes, MAX_SCALE), codes };
}

/** What decoding will use for sub-block `j` of the block at `at`. */
function storedFit(bytes: Uint8Array, at: number, j: number): AffineFit {
  const half = (offset: number) => f16ToF32(bytes[at + offset] | (bytes[at + offset + 1] << 8));
  return {
    scale: fround(half(D_OFFSET) * (bytes[at + j] & 15)),
    min: fround(half(DMIN_OFFSET) * (bytes[at + j] >> 4)),
  };
}
