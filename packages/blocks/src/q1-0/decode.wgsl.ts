// Q1_0 for GPUs (layout.ts; contract: wgsl-decoders.ts). 32 weights are the bits of one word.
import { eightVectors } from '../wgsl-vectors.ts';
import { QS_OFFSET } from './layout.ts';

export const q1_0Wgsl = `
fn signs_of(q: u32, first: u32) -> vec4<f32> {
  return 2.0 * vec4<f32>((vec4<u32>(q) >> (vec4<u32>(first) + vec4<u32>(0u, 1u, 2u, 3u))) & vec4<u32>(1u)) - 1.0;
}
fn decode32(at: u32, i: u32) -> array<vec4<f32>, 8> {
  let d = half_at(at);
  let q = word(at + ${QS_OFFSET}u + (i >> 3u));
  return ${eightVectors((k) => `d * signs_of(q, ${4 * k}u)`)};
}
`;
