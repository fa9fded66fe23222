// Q5_K as integers for GPUs (layout.ts; contract: wgsl-integers.ts): d · sc · q − dmin · m.
import { scaleMinWgsl } from '../q4-k/scale-min.wgsl.ts';
import { eightWords } from '../wgsl-vectors.ts';
import { QH_OFFSET, QS_OFFSET } from './layout.ts';

export const q5KIntegers = `${scaleMinWgsl}
fn integers32(at: u32, i: u32) -> Integers {
  let j = i >> 5u;
  let fit = vec2<i32>(scale_min_codes(at, j));
  let a = at + ${QS_OFFSET}u + 32u * (j >> 1u);
  let shift = 4u * (j & 1u);
  let high = at + ${QH_OFFSET}u;
  let codes = ${eightWords(
    (k) => `((word(a + ${4 * k}u) >> shift) & 0x0f0f0f0fu) | (((word(high + ${4 * k}u) >> j) & 0x01010101u) << 4u)`,
  )};
  return Integers(codes, fit.xx, vec2<i32>(0), fit.y, unpack2x16float(word(at)));
}
`;
