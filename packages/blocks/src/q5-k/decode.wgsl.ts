// Q5_K for GPUs (layout.ts; contract: wgsl-decoders.ts).
import { scaleMinWgsl } from '../q4-k/scale-min.wgsl.ts';
import { eightVectors } from '../wgsl-vectors.ts';
import { QH_OFFSET, QS_OFFSET } from './layout.ts';

export const q5KWgsl = `${scaleMinWgsl}
fn five_bits(a: u32, shift: u32, high: u32, j: u32) -> vec4<f32> {
  return bytes_of(((word(a) >> shift) & 0x0f0f0f0fu) | (((word(high) >> j) & 0x01010101u) << 4u));
}
fn decode32(at: u32, i: u32) -> array<vec4<f32>, 8> {
  let j = i >> 5u;
  let fit = scale_min(at, j);
  let a = at + ${QS_OFFSET}u + 32u * (j >> 1u);
  let shift = 4u * (j & 1u);
  let high = at + ${QH_OFFSET}u;
  return ${eightVectors((k) => `fit.x * five_bits(a + ${4 * k}u, shift, high + ${4 * k}u, j) - fit.y`)};
}
`;
