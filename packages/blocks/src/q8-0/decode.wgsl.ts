// Q8_0 for GPUs (layout.ts; contract: wgsl-decoders.ts).
import { eightVectors } from '../wgsl-vectors.ts';
import { QS_OFFSET } from './layout.ts';

export const q8_0Wgsl = `
fn decode32(at: u32, i: u32) -> array<vec4<f32>, 8> {
  let d = half_at(at);
  return ${eightVectors((k) => `d * signed_bytes_of(word(at + ${QS_OFFSET + 4 * k}u))`)};
}
`;
