// F32 for GPUs (contract: wgsl-decoders.ts).
import { eightVectors } from '../wgsl-vectors.ts';

const four = (k: number) => [0, 1, 2, 3].map((j) => `w[a + ${4 * k + j}u]`).join(', ');

export const f32Wgsl = `
fn decode32(at: u32, i: u32) -> array<vec4<f32>, 8> {
  let a = (at >> 2u) + i;
  return ${eightVectors((k) => `bitcast<vec4<f32>>(vec4<u32>(${four(k)}))`)};
}
fn decode1(at: u32, i: u32) -> f32 {
  return bitcast<f32>(w[(at >> 2u) + i]);
}
`;
