// TQ2_0 for GPUs (layout.ts; contract: wgsl-decoders.ts).
import { eightVectors } from '../wgsl-vectors.ts';
import { D_OFFSET } from './layout.ts';

export const tq2_0Wgsl = `
fn decode32(at: u32, i: u32) -> array<vec4<f32>, 8> {
  let d = half_at(at + ${D_OFFSET}u);
  let a = at + 32u * (i >> 7u);
  let shift = 2u * ((i >> 5u) & 3u);
  return ${eightVectors((k) => `d * (bytes_of((word(a + ${4 * k}u) >> shift) & 0x03030303u) - 1.0)`)};
}
`;
