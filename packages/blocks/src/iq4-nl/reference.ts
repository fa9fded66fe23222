// IQ4_NL, reference (layout.ts). The best scale of a block is searched (levels.ts), then codes are the levels nearest to it.
// Arithmetic as in ggml-quants.c quantize_row_iq4_nl_impl, every step rounded to F32.
import type { Codec } from '../codec.ts';
import { f16ToF32, resultToF16 } from '../half.ts';
import { errorWeights, sumOfSquares } from '../search/error-weights.ts';
import { BLOCK_BYTES, BLOCK_WEIGHTS, QS_OFFSET, VALUES } from './layout.ts';
import { fitLevels, nearestLevel, packNibbles, squares } from './levels.ts';

const { fround } = Math;
const HALF = BLOCK_WEIGHTS / 2;

export const iq4Nl: Codec = {
  weighting: 'block',

  decode(bytes, values) {
    for (let at = 0, first = 0; first < values.length; at += BLOCK_BYTES, first += BLOCK_WEIGHTS) {
      const d = f16ToF32(bytes[at] | (bytes[at + 1] << 8));
      for (let j = 0; j < HALF; j++) {
        const packed = bytes[at + QS_OFFSET + j];
        values[first + j] = d * VALUES[packed & 15];
        values[first + HALF + j] = d * VALUES[packed >> 4];
      }
    }
  },

  encode(values, bytes, cols, importance) {
    for (let at = 0, first = 0; first < values.length; at += BLOCK_BYTES, first += BLOCK_WEIGHTS) {
      const x = values.subarray(first, first + BLOCK_WEIGHTS);
      const columns = importance?.subarray(first % cols, (first % cols) + BLOCK_WEIGHTS);
      const meanSquare2 = fround(sumOfSquares(x) * (2 / BLOCK_WEIGHTS));
      const scale = fitLevels(x, columns ? errorWeights(x, columns, meanSquare2) : squares(x));
      const d = resultToF16(scale);
      bytes.set([d, d >> 8], at);
      const inverse = scale === 0 ? 0 : fround(1 / scale);
      const codes = Uint8Array.from(x, (value) => nearestLevel(fround(inverse * value)));
      packNibbles(codes, bytes, at + QS_OFFSET);
    }
  },
};
