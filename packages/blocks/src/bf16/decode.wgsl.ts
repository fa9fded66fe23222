// BF16 for GPUs (contract: wgsl-decoders.ts): the upper half of an F32.
import { eightVectors } from '../wgsl-vectors.ts';

const two = (k: number) => `two_bf16(word(a + ${4 * k}u))`;

export const bf16Wgsl = `
fn two_bf16(q: u32) -> vec2<f32> {
  return bitcast<vec2<f32>>(vec2<u32>(q << 16u, q & 0xffff0000u));
}
fn decode32(at: u32, i: u32) -> array<vec4<f32>, 8> {
  let a = at + 2u * i;
  return ${eightVectors((k) => `vec4<f32>(${two(2 * k)}, ${two(2 * k + 1)})`)};
}
fn decode1(at: u32, i: u32) -> f32 {
  let a = at + 2u * i;
  return bitcast<f32>((w[a >> 2u] >> (8u * (a & 2u))) << 16u);
}
`;
