// Q2_0 for GPUs (layout.ts; contract: wgsl-decoders.ts). Four weights are the bits of one byte.
import { eightVectors } from '../wgsl-vectors.ts';
import { QS_OFFSET } from './layout.ts';

export const q2_0Wgsl = `
fn pairs_of(q: u32, first: u32) -> vec4<f32> {
  return vec4<f32>((vec4<u32>(q) >> (vec4<u32>(first) + vec4<u32>(0u, 2u, 4u, 6u))) & vec4<u32>(3u)) - 1.0;
}
fn decode32(at: u32, i: u32) -> array<vec4<f32>, 8> {
  let d = half_at(at);
  let low = word(at + ${QS_OFFSET}u + (i >> 2u));
  let high = word(at + ${QS_OFFSET + 4}u + (i >> 2u));
  return ${eightVectors((k) => `d * pairs_of(${k < 4 ? 'low' : 'high'}, ${8 * (k % 4)}u)`)};
}
`;
