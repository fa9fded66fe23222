// NVFP4, reference (layout.ts). The scale of a sub-block brings its largest magnitude to 6, the largest number of FP4.
// Arithmetic as in ggml-quants.c quantize_row_nvfp4_ref, every step rounded to F32.
import type { Codec } from '../codec.ts';
import { VALUES } from '../mxfp4/layout.ts';
import { nearestFp4 } from '../mxfp4/nearest.ts';
import { BLOCK_BYTES, BLOCK_WEIGHTS, QS_OFFSET, SUB_BLOCKS, SUB_WEIGHTS } from './layout.ts';
import { halfScale, toScale } from './scale.ts';

const { fround } = Math;
const HALF = SUB_WEIGHTS / 2;

export const nvfp4: Codec = {
  decode(bytes, values) {
    forSubBlocks(bytes, values, (x, scaleAt, codesAt) => {
      const scale = halfScale(bytes[scaleAt]);
      for (let j = 0; j < HALF; j++) {
        const packed = bytes[codesAt + j];
        x[j] = VALUES[packed & 15] * scale;
        x[HALF + j] = VALUES[packed >> 4] * scale;
      }
    });
  },

  encode(values, bytes) {
    forSubBlocks(bytes, values, (x, scaleAt, codesAt) => {
      const magnitude = x.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
      bytes[scaleAt] = toScale(fround(magnitude / 6));
      const scale = halfScale(bytes[scaleAt]);
      for (let j = 0; j < HALF; j++) {
        bytes[codesAt + j] = nearestFp4(x[j], scale) | (nearestFp4(x[HALF + j], scale) << 4);
      }
    });
  },
};

/** Calls `each` with the weights of every sub-block and where its scale and codes lie in `bytes`. */
function forSubBlocks(
  bytes: Uint8Array,
  values: Float32Array,
  each: (x: Float32Array, scaleAt: number, codesAt: number) => void,
): void {
  for (let at = 0, first = 0; at < bytes.length; at += BLOCK_BYTES, first += BLOCK_WEIGHTS) {
    for (let j = 0; j < SUB_BLOCKS; j++) {
      const x = values.subarray(first + j * SUB_WEIGHTS, first + (j + 1) * SUB_WEIGHTS);
      each(x, at + j, at + QS_OFFSET + j * HALF);
    }
  }
}
