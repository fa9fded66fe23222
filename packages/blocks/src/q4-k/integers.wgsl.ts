// Q4_K as integers for GPUs (layout.ts; contract: wgsl-integers.ts): d · sc · q − dmin · m.
import { eightWords } from '../wgsl-vectors.ts';
import { QS_OFFSET } from './layout.ts';
import { scaleMinWgsl } from './scale-min.wgsl.ts';

export const q4KIntegers = `${scaleMinWgsl}
fn integers32(at: u32, i: u32) -> Integers {
  let j = i >> 5u;
  let fit = vec2<i32>(scale_min_codes(at, j));
  let a = at + ${QS_OFFSET}u + 32u * (j >> 1u);
  let shift = 4u * (j & 1u);
  let codes = ${eightWords((k) => `(word(a + ${4 * k}u) >> shift) & 0x0f0f0f0fu`)};
  return Integers(codes, fit.xx, vec2<i32>(0), fit.y, unpack2x16float(word(at)));
}
`;
