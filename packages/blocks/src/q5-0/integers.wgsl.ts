// Q5_0 as integers for GPUs (layout.ts; contract: wgsl-integers.ts): d · (q − 16).
import { eightWords } from '../wgsl-vectors.ts';
import { QH_OFFSET, QS_OFFSET } from './layout.ts';

export const q5_0Integers = `
// The lowest four bits of \`bits\` as the fifth bits of four bytes: bit j of the product's factor moves it by 7 places more.
fn fifth_bits(bits: u32) -> u32 {
  return (((bits & 15u) * 0x00204081u) & 0x01010101u) << 4u;
}
fn integers32(at: u32, i: u32) -> Integers {
  let fifth = word(at + ${QH_OFFSET}u);
  let q = vec4<u32>(${[0, 4, 8, 12].map((byte) => `word(at + ${QS_OFFSET + byte}u)`).join(', ')});
  let low = q & vec4<u32>(0x0f0f0f0fu);
  let high = (q >> vec4<u32>(4u)) & vec4<u32>(0x0f0f0f0fu);
  let codes = ${eightWords((k) => `${k < 4 ? 'low' : 'high'}[${k % 4}] | fifth_bits(fifth >> ${4 * k}u)`)};
  return Integers(codes, vec2<i32>(1), vec2<i32>(16), 0, vec2<f32>(half_at(at), 0.0));
}
`;
