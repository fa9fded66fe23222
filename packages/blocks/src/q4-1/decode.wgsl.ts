// Q4_1 for GPUs (layout.ts; contract: wgsl-decoders.ts).
import { eightVectors } from '../wgsl-vectors.ts';
import { M_OFFSET, QS_OFFSET } from './layout.ts';

export const q4_1Wgsl = `
fn decode32(at: u32, i: u32) -> array<vec4<f32>, 8> {
  let d = half_at(at);
  let m = half_at(at + ${M_OFFSET}u);
  let q = vec4<u32>(${[0, 4, 8, 12].map((byte) => `word(at + ${QS_OFFSET + byte}u)`).join(', ')});
  let low = q & vec4<u32>(0x0f0f0f0fu);
  let high = (q >> vec4<u32>(4u)) & vec4<u32>(0x0f0f0f0fu);
  return ${eightVectors((k) => `d * bytes_of(${k < 4 ? 'low' : 'high'}[${k % 4}]) + m`)};
}
`;
