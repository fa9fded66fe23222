// Q3_K, reference (layout.ts). Each sub-block is fitted on its own (search/moving.ts, with importance
// search/symmetric.ts), then the scales are stored in 6 bits, and the codes are rounded again with what is really stored.
// Arithmetic as in ggml-quants.c quantize_row_q3_K_ref and quantize_row_q3_K_impl, every step rounded to F32.
import type { Codec } from '../codec.ts';
import { f16ToF32, resultToF16 } from '../half.ts';
import { putTwoBits, twoBitsAt } from '../q2-k/layout.ts';
import { clamp, nearestInt, truncateToInt8 } from '../rounding.ts';
import { errorWeights, sumOfSquares, sumOfWeights } from '../search/error-weights.ts';
import { fitMoving } from '../search/moving.ts';
import { fitSymmetric } from '../search/symmetric.ts';
import { signedExtreme } from '../signed-extreme.ts';
import {
  BLOCK_BYTES,
  BLOCK_WEIGHTS,
  D_OFFSET,
  putScale,
  QS_OFFSET,
  SCALES_OFFSET,
  SUB_BLOCKS,
  SUB_WEIGHTS,
  scaleOf,
} from './layout.ts';

const { fround } = Math;
const HALF = 4;
const HALF_SCALE = 32;

export const q3K: Codec = {
  weighting: 'block',

  decode(bytes, values) {
    for (let at = 0, first = 0; first < values.length; at += BLOCK_BYTES, first += BLOCK_WEIGHTS) {
      for (let i = 0; i < BLOCK_WEIGHTS; i++) {
        const upper = (bytes[at + (i & 31)] >> (i >> 5)) & 1;
        const q = twoBitsAt(bytes, at + QS_OFFSET, i) | (upper << 2);
        values[first + i] = storedScale(bytes, at, i >> 4) * (q - HALF);
      }
    }
  },

  encode(values, bytes, cols, importance) {
    const codes = new Uint8Array(BLOCK_WEIGHTS);
    for (let at = 0, first = 0; first < values.length; at += BLOCK_BYTES, first += BLOCK_WEIGHTS) {
      const x = values.subarray(first, first + BLOCK_WEIGHTS);
      const block = bytes.subarray(at, at + BLOCK_BYTES);
      block.fill(0);
      if (importance) fitWeighted(x, importance.subarray(first % cols, (first % cols) + BLOCK_WEIGHTS), block, codes);
      else fit(x, block, codes);
      storeCodes(x, block, codes);
    }
  },
};

const subOf = <T extends Float32Array | Uint8Array>(array: T, j: number) =>
  array.subarray(j * SUB_WEIGHTS, (j + 1) * SUB_WEIGHTS) as T;

/** Scales relative to the extreme one, which becomes −32. */
function fit(x: Float32Array, block: Uint8Array, codes: Uint8Array): void {
  const scales = Float32Array.from({ length: SUB_BLOCKS }, (_, j) => fitMoving(subOf(x, j), subOf(codes, j), HALF));
  const extreme = signedExtreme(scales);
  const inverse = extreme ? fround(-HALF_SCALE / extreme) : 0;
  if (extreme) {
    for (const [j, scale] of scales.entries()) {
      const l = truncateToInt8(nearestInt(fround(inverse * scale)));
      putScale(block, SCALES_OFFSET, j, HALF_SCALE + clamp(l, -HALF_SCALE, HALF_SCALE - 1));
    }
  }
  putD(block, extreme ? fround(1 / inverse) : 0);
}

/** Scales fitted among themselves, each counting as much as the weights of its sub-block. */
function fitWeighted(x: Float32Array, importance: Float32Array, block: Uint8Array, codes: Uint8Array): void {
  const meanSquare = fround(fround(2 * sumOfSquares(x)) / BLOCK_WEIGHTS);
  const sums = new Float32Array(SUB_BLOCKS);
  const scales = Float32Array.from({ length: SUB_BLOCKS }, (_, j) => {
    const weights = errorWeights(subOf(x, j), subOf(importance, j), meanSquare);
    sums[j] = sumOfWeights(weights);
    return fitSymmetric(subOf(x, j), weights, subOf(codes, j), HALF);
  });
  const scaleCodes = new Uint8Array(SUB_BLOCKS);
  putD(block, fitSymmetric(scales, sums, scaleCodes, HALF_SCALE));
  for (const [j, code] of scaleCodes.entries()) putScale(block, SCALES_OFFSET, j, code);
}

function putD(block: Uint8Array, d: number): void {
  const half = resultToF16(d);
  block[D_OFFSET] = half;
  block[D_OFFSET + 1] = half >> 8;
}

function storeCodes(x: Float32Array, block: Uint8Array, codes: Uint8Array): void {
  for (let i = 0; i < BLOCK_WEIGHTS; i++) {
    const scale = storedScale(block, 0, i >> 4);
    // Where the stored scale is 0, ggml keeps the code of the search.
    const code = scale === 0 ? codes[i] : HALF + clamp(nearestInt(fround(x[i] / scale)), -HALF, HALF - 1);
    putTwoBits(block, QS_OFFSET, i, code & 3);
    block[i & 31] |= (code >> 2) << (i >> 5);
  }
}

/** What decoding will use for sub-block `j` of the block at `at`. */
function storedScale(bytes: Uint8Array, at: number, j: number): number {
  const d = f16ToF32(bytes[at + D_OFFSET] | (bytes[at + D_OFFSET + 1] << 8));
  return fround(d * (scaleOf(bytes, at + SCALES_OFFSET, j) - HALF_SCALE));
}
