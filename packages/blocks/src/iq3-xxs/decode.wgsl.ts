// IQ3_XXS for GPUs (layout.ts; contract: wgsl-decoders.ts). 32 weights are eight points of four.
import { gridWgsl } from '../grids/grid.wgsl.ts';
import { eightVectors } from '../wgsl-vectors.ts';
import { QS_OFFSET, WORDS_OFFSET } from './layout.ts';

export const iq3XxsWgsl = `${gridWgsl}
fn magnitudes_of(point: u32) -> vec4<f32> {
  let codes = three_bits_of(point);
  return vec4<f32>(4u + 8u * codes + 2u * ((codes + 1u) >> vec4<u32>(3u)));
}
fn decode32(at: u32, i: u32) -> array<vec4<f32>, 8> {
  let packed = word(at + ${WORDS_OFFSET}u + 4u * (i >> 5u));
  let scale = half_at(at) * (f32(packed >> 28u) + 0.5) * 0.5;
  let a = at + ${QS_OFFSET}u + (i >> 2u);
  let ranks = vec2<u32>(word(a), word(a + 4u));
  return ${eightVectors(
    (k) =>
      `scale * magnitudes_of(point_at((ranks[${k >> 2}] >> ${8 * (k & 3)}u) & 255u)) * signs_of(even_signs((packed >> ${7 * (k >> 1)}u) & 127u), ${k & 1}u)`,
  )};
}
`;
