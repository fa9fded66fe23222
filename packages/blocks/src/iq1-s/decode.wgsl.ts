// IQ1_S for GPUs (layout.ts; contract: wgsl-decoders.ts).
import { gridWgsl } from '../grids/grid.wgsl.ts';
import { eightVectors } from '../wgsl-vectors.ts';
import { DELTA, QH_OFFSET, QS_OFFSET } from './layout.ts';

export const iq1SWgsl = `${gridWgsl}
fn decode32(at: u32, i: u32) -> array<vec4<f32>, 8> {
  let low = word(at + ${QS_OFFSET}u + (i >> 3u));
  let high = word(at + ${QH_OFFSET}u + 2u * (i >> 5u)) & 0xffffu;
  let scale = half_at(at) * f32(2u * ((high >> 12u) & 7u) + 1u);
  let middle = 1.0 + select(${-DELTA}, ${DELTA}, (high & 0x8000u) != 0u);
${[0, 1, 2, 3]
  .map((g) => `  let point_${g} = point_at(((low >> ${8 * g}u) & 255u) | (((high >> ${3 * g}u) & 7u) << 8u));`)
  .join('\n')}
  return ${eightVectors((k) => `scale * (vec4<f32>(two_bits_of(point_${k >> 1}, ${k & 1}u)) - middle)`)};
}
`;
