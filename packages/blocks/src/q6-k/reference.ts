// Q6_K, reference (layout.ts). Each sub-block is fitted on its own (search/symmetric.ts), then the scales are stored in
// 8 bits relative to the extreme one, and the codes are rounded again with what is really stored.
// Errors count by x², or by the importance alone where it is given.
// Arithmetic as in ggml-quants.c quantize_row_q6_K_ref and quantize_row_q6_K_impl, every step rounded to F32.
import type { Codec } from '../codec.ts';
import { f16ToF32, f32ToF16 } from '../half.ts';
import { clamp, nearestInt } from '../rounding.ts';
import { fitSymmetric, GROUP_EPSILON } from '../search/symmetric.ts';
import { BLOCK_BYTES, BLOCK_WEIGHTS, D_OFFSET, QH_OFFSET, SCALES_OFFSET, SUB_BLOCKS, SUB_WEIGHTS } from './layout.ts';

const { fround } = Math;

export const q6K: Codec = {
  weighting: 'block',

  decode(bytes, values) {
    for (let at = 0, first = 0; first < values.length; at += BLOCK_BYTES, first += BLOCK_WEIGHTS) {
      for (let i = 0; i < BLOCK_WEIGHTS; i++) {
        const { low, lowShift, high, highShift } = placeOf(i);
        const q = ((bytes[at + low] >> lowShift) & 15) | (((bytes[at + high] >> highShift) & 3) << 4);
        values[first + i] = storedScale(bytes, at, i >> 4) * (q - 32);
      }
    }
  },

  encode(values, bytes, cols, importance) {
    const codes = new Uint8Array(BLOCK_WEIGHTS);
    for (let at = 0, first = 0; first < values.length; at += BLOCK_BYTES, first += BLOCK_WEIGHTS) {
      const x = values.subarray(first, first + BLOCK_WEIGHTS);
      const weights =
        importance?.subarray(first % cols, (first % cols) + BLOCK_WEIGHTS) ?? x.map((value) => value * value);
      encodeBlock(x, weights, bytes.subarray(at, at + BLOCK_BYTES), codes);
    }
  },
};

function encodeBlock(x: Float32Array, weights: Float32Array, block: Uint8Array, codes: Uint8Array): void {
  block.fill(0);
  const subOf = <T extends Float32Array | Uint8Array>(array: T, j: number) =>
    array.subarray(j * SUB_WEIGHTS, (j + 1) * SUB_WEIGHTS) as T;
  const scales: number[] = [];
  for (let j = 0; j < SUB_BLOCKS; j++) scales.push(fitSymmetric(subOf(x, j), subOf(weights, j), subOf(codes, j), 32));
  const extreme = scales.reduce((best, scale) => (Math.abs(scale) > Math.abs(best) ? scale : best), 0);
  if (Math.abs(extreme) < GROUP_EPSILON) return;

  const inverse = fround(-128 / extreme);
  const d = f32ToF16(fround(1 / inverse));
  block[D_OFFSET] = d;
  block[D_OFFSET + 1] = d >> 8;
  for (let j = 0; j < SUB_BLOCKS; j++) {
    block[SCALES_OFFSET + j] = Math.min(127, nearestInt(fround(inverse * scales[j])));
    const scale = storedScale(block, 0, j);
    if (scale === 0) continue; // ggml keeps the codes of the search here
    const sub = subOf(x, j);
    subOf(codes, j).set(Uint8Array.from(sub, (value) => 32 + clamp(nearestInt(fround(value / scale)), -32, 31)));
  }
  for (let i = 0; i < BLOCK_WEIGHTS; i++) {
    const { low, lowShift, high, highShift } = placeOf(i);
    block[low] |= (codes[i] & 15) << lowShift;
    block[high] |= (codes[i] >> 4) << highShift;
  }
}

/** Byte and bit offsets within the block of the lower four and the upper two bits of code `i`. */
function placeOf(i: number) {
  const half = i >> 7;
  const quarter = (i >> 5) & 3;
  const l = i & 31;
  return {
    low: 64 * half + 32 * (quarter & 1) + l,
    lowShift: 4 * (quarter >> 1),
    high: QH_OFFSET + 32 * half + l,
    highShift: 2 * quarter,
  };
}

/** What decoding will use for sub-block `j` of the block at `at`. */
function storedScale(bytes: Uint8Array, at: number, j: number): number {
  const d = f16ToF32(bytes[at + D_OFFSET] | (bytes[at + D_OFFSET + 1] << 8));
  return fround(d * ((bytes[at + SCALES_OFFSET + j] << 24) >> 24));
}
