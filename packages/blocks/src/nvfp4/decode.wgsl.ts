// NVFP4 for GPUs (layout.ts, halfScale; contract: wgsl-decoders.ts). 32 weights are two sub-blocks.
import { levelsWgsl } from '../iq4-nl/levels.wgsl.ts';
import { VALUES } from '../mxfp4/layout.ts';
import { eightVectors } from '../wgsl-vectors.ts';
import { QS_OFFSET } from './layout.ts';

export const nvfp4Wgsl = `${levelsWgsl(VALUES)}
fn half_scale(bits: u32) -> f32 {
  if (bits == 0x7fu) { return 0.0; }
  let mantissa = bits & 7u;
  let exponent = (bits >> 3u) & 15u;
  if (exponent == 0u) { return f32(mantissa) / 1024.0; }
  return bitcast<f32>(((exponent + 119u) << 23u) | (mantissa << 20u)); // (8 + mantissa) · 2^(exponent − 11)
}
fn decode32(at: u32, i: u32) -> array<vec4<f32>, 8> {
  let j = i >> 4u;
  let scales = vec2<f32>(half_scale(byte_at(at + j)), half_scale(byte_at(at + j + 1u)));
  let a = at + ${QS_OFFSET}u + 8u * j;
  let q = vec4<u32>(word(a), word(a + 4u), word(a + 8u), word(a + 12u));
  return ${eightVectors((k) => `scales[${k >> 2}] * levels_of(q[${2 * (k >> 2) + (k & 1)}]${k & 2 ? ' >> 4u' : ''})`)};
}
`;
