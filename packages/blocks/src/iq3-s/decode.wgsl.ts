// IQ3_S for GPUs (layout.ts; contract: wgsl-decoders.ts). 32 weights are eight points of four.
import { gridWgsl } from '../grids/grid.wgsl.ts';
import { eightVectors } from '../wgsl-vectors.ts';
import { QH_OFFSET, QS_OFFSET, SCALES_OFFSET, SIGNS_OFFSET } from './layout.ts';

const rank = (k: number) => `((low[${k >> 2}] >> ${8 * (k & 3)}u) & 255u) | (((high >> ${k}u) & 1u) << 8u)`;

export const iq3SWgsl = `${gridWgsl}
fn decode32(at: u32, i: u32) -> array<vec4<f32>, 8> {
  let a = at + ${QS_OFFSET}u + (i >> 2u);
  let low = vec2<u32>(word(a), word(a + 4u));
  let high = byte_at(at + ${QH_OFFSET}u + (i >> 5u));
  let signs = word(at + ${SIGNS_OFFSET}u + (i >> 3u));
  let sc = (byte_at(at + ${SCALES_OFFSET}u + (i >> 6u)) >> (4u * ((i >> 5u) & 1u))) & 15u;
  let scale = half_at(at) * f32(2u * sc + 1u);
  return ${eightVectors(
    (k) =>
      `scale * vec4<f32>(2u * three_bits_of(point_at(${rank(k)})) + 1u) * signs_of(signs >> ${8 * (k >> 1)}u, ${k & 1}u)`,
  )};
}
`;
