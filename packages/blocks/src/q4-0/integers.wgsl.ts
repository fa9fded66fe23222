// Q4_0 as integers for GPUs (layout.ts; contract: wgsl-integers.ts): d · (q − 8).
import { QS_OFFSET } from './layout.ts';

export const q4_0Integers = `
fn integers32(at: u32, i: u32) -> Integers {
  let q = vec4<u32>(${[0, 4, 8, 12].map((byte) => `word(at + ${QS_OFFSET + byte}u)`).join(', ')});
  let codes = array<vec4<u32>, 2>(q & vec4<u32>(0x0f0f0f0fu), (q >> vec4<u32>(4u)) & vec4<u32>(0x0f0f0f0fu));
  return Integers(codes, vec2<i32>(1), vec2<i32>(8), 0, vec2<f32>(half_at(at), 0.0));
}
`;
