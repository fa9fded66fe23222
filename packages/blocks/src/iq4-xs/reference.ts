// IQ4_XS, reference (layout.ts). The best scale of each sub-block is searched (iq4-nl/levels.ts), then the scales are stored
// in 6 bits relative to the extreme one, and codes are the levels nearest with what is stored.
// Arithmetic as in ggml-quants.c quantize_row_iq4_nl_impl, every step rounded to F32.
import type { Codec } from '../codec.ts';
import { f16ToF32, f32ToF16 } from '../half.ts';
import { VALUES } from '../iq4-nl/layout.ts';
import { fitLevels, nearestLevel, packNibbles, squares } from '../iq4-nl/levels.ts';
import { clamp, nearestInt } from '../rounding.ts';
import { errorWeights, sumOfSquares } from '../search/error-weights.ts';
import { signedExtreme } from '../signed-extreme.ts';
import {
  BLOCK_BYTES,
  BLOCK_WEIGHTS,
  QS_OFFSET,
  SCALES_HIGH_OFFSET,
  SCALES_LOW_OFFSET,
  SUB_BLOCKS,
  SUB_WEIGHTS,
} from './layout.ts';

const { fround } = Math;

export const iq4Xs: Codec = {
  weighting: 'block',

  decode(bytes, values) {
    for (let at = 0, first = 0; first < values.length; at += BLOCK_BYTES, first += BLOCK_WEIGHTS) {
      const d = f16ToF32(bytes[at] | (bytes[at + 1] << 8));
      const high = bytes[at + SCALES_HIGH_OFFSET] | (bytes[at + SCALES_HIGH_OFFSET + 1] << 8);
      for (let j = 0; j < SUB_BLOCKS; j++) {
        const low = bytes[at + SCALES_LOW_OFFSET + (j >> 1)] >> (4 * (j & 1));
        const scale = fround(d * (((low & 15) | (((high >> (2 * j)) & 3) << 4)) - 32));
        for (let i = 0; i < 16; i++) {
          const packed = bytes[at + QS_OFFSET + 16 * j + i];
          values[first + SUB_WEIGHTS * j + i] = scale * VALUES[packed & 15];
          values[first + SUB_WEIGHTS * j + 16 + i] = scale * VALUES[packed >> 4];
        }
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
  const subOf = (array: Float32Array, j: number) => array.subarray(j * SUB_WEIGHTS, (j + 1) * SUB_WEIGHTS);
  const meanSquare2 = fround(sumOfSquares(x) * (2 / BLOCK_WEIGHTS));
  const scales = Float32Array.from({ length: SUB_BLOCKS }, (_, j) => {
    const sub = subOf(x, j);
    return fitLevels(sub, importance ? errorWeights(sub, subOf(importance, j), meanSquare2) : squares(sub));
  });
  const d = fround(-signedExtreme(scales) / 32);
  const half = f32ToF16(d);
  const inverse = d === 0 ? 0 : fround(1 / d);
  let high = 0;
  block.fill(0, 0, QS_OFFSET);
  for (let j = 0; j < SUB_BLOCKS; j++) {
    const l = clamp(nearestInt(fround(inverse * scales[j])), -32, 31);
    const scale = fround(d * l);
    const subInverse = scale === 0 ? 0 : fround(1 / scale);
    const codes = Uint8Array.from(subOf(x, j), (value) => nearestLevel(fround(subInverse * value)));
    packNibbles(codes, block, QS_OFFSET + 16 * j);
    block[SCALES_LOW_OFFSET + (j >> 1)] |= ((l + 32) & 15) << (4 * (j & 1));
    high |= ((l + 32) >> 4) << (2 * j);
  }
  block.set([half, half >> 8, high, high >> 8], 0);
}
