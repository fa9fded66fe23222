// How Q4_1 and Q5_1 are coded without importance: the smallest weight becomes code 0, the largest `maxCode`.
import { truncateToInt8 } from '../rounding.ts';
import type { AffineFit } from '../search/affine.ts';

const { fround } = Math;
const largestF32 = fround(3.4028234663852886e38);

/** Scale, and the minimum negated; the codes may exceed `maxCode` by one where rounding went up. */
export function fitExtremes(block: Float32Array, codes: Uint8Array, maxCode: number): AffineFit {
  let min = largestF32;
  let max = -largestF32;
  for (const x of block) {
    if (x < min) min = x;
    if (x > max) max = x;
  }
  const scale = fround(fround(max - min) / maxCode);
  const inverse = scale ? fround(1 / scale) : 0;
  for (const [j, x] of block.entries()) codes[j] = truncateToInt8(fround(fround(fround(x - min) * inverse) + 0.5));
  return { scale, min: -min };
}
