// Q4_K for GPUs (layout.ts; contract: wgsl-decoders.ts).
import { eightVectors } from '../wgsl-vectors.ts';
import { QS_OFFSET } from './layout.ts';
import { scaleMinWgsl } from './scale-min.wgsl.ts';

export const q4KWgsl = `${scaleMinWgsl}
fn decode32(at: u32, i: u32) -> array<vec4<f32>, 8> {
  let j = i >> 5u;
  let fit = scale_min(at, j);
  let a = at + ${QS_OFFSET}u + 32u * (j >> 1u);
  let shift = 4u * (j & 1u);
  return ${eightVectors((k) => `fit.x * bytes_of((word(a + ${4 * k}u) >> shift) & 0x0f0f0f0fu) - fit.y`)};
}
`;
