// TQ1_0 for GPUs (layout.ts; contract: wgsl-decoders.ts). Four weights w … w + 3 are one digit of four neighbouring bytes.
import { eightVectors } from '../wgsl-vectors.ts';
import { D_OFFSET } from './layout.ts';

export const tq1_0Wgsl = `
// digit n of each of four bytes, the first one highest
fn digits_of(q: u32, n: u32) -> vec4<f32> {
  let power = array<u32, 5>(1u, 3u, 9u, 27u, 81u)[n];
  let bytes = (vec4<u32>(q) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(255u);
  return vec4<f32>((((bytes * power) & vec4<u32>(255u)) * 3u) >> vec4<u32>(8u));
}
fn ternary(at: u32, w_first: u32) -> vec4<f32> {
  if (w_first < 160u) { return digits_of(word(at + w_first % 32u), w_first / 32u); }
  if (w_first < 240u) { return digits_of(word(at + 32u + (w_first - 160u) % 16u), (w_first - 160u) / 16u); }
  return digits_of(word(at + 48u), (w_first - 240u) / 4u);
}
fn decode32(at: u32, i: u32) -> array<vec4<f32>, 8> {
  let d = half_at(at + ${D_OFFSET}u);
  return ${eightVectors((k) => `d * (ternary(at, i + ${4 * k}u) - 1.0)`)};
}
`;
