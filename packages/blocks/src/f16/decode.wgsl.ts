// F16 for GPUs (contract: wgsl-decoders.ts). unpack2x16float needs no shader-f16.
import { eightVectors } from '../wgsl-vectors.ts';

const two = (k: number) => `unpack2x16float(word(a + ${4 * k}u))`;

export const f16Wgsl = `
fn decode32(at: u32, i: u32) -> array<vec4<f32>, 8> {
  let a = at + 2u * i;
  return ${eightVectors((k) => `vec4<f32>(${two(2 * k)}, ${two(2 * k + 1)})`)};
}
fn decode1(at: u32, i: u32) -> f32 {
  return half_at(at + 2u * i);
}
`;
