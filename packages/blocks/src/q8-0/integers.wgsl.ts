// Q8_0 as integers for GPUs (layout.ts; contract: wgsl-integers.ts): d · q.
import { eightWords } from '../wgsl-vectors.ts';
import { QS_OFFSET } from './layout.ts';

export const q8_0Integers = `
fn integers32(at: u32, i: u32) -> Integers {
  let codes = ${eightWords((k) => `word(at + ${QS_OFFSET + 4 * k}u)`)};
  return Integers(codes, vec2<i32>(1), vec2<i32>(0), 0, vec2<f32>(half_at(at), 0.0));
}
`;
