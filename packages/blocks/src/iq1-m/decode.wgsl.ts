// IQ1_M for GPUs (layout.ts; contract: wgsl-decoders.ts). 32 weights have two scales, and a shift for every eight.
import { gridWgsl } from '../grids/grid.wgsl.ts';
import { DELTA } from '../iq1-s/layout.ts';
import { eightVectors } from '../wgsl-vectors.ts';
import { QH_OFFSET, SCALES_OFFSET } from './layout.ts';

export const iq1MWgsl = `${gridWgsl}
fn decode32(at: u32, i: u32) -> array<vec4<f32>, 8> {
  let stored = vec2<u32>(word(at + ${SCALES_OFFSET}u), word(at + ${SCALES_OFFSET + 4}u));
  let parts = vec4<u32>(stored.x & 0xffffu, stored.x >> 16u, stored.y & 0xffffu, stored.y >> 16u);
  let top = parts >> vec4<u32>(12u);
  let d = unpack2x16float(top.x | (top.y << 4u) | (top.z << 8u) | (top.w << 12u)).x;
  let j = i >> 4u;
  let packed = parts[j >> 2u] >> (3u * (j & 3u));
  let scales = d * vec2<f32>(f32(2u * (packed & 7u) + 1u), f32(2u * ((packed >> 3u) & 7u) + 1u));
  let low = word(at + (i >> 3u));
  let high = byte_at(at + ${QH_OFFSET}u + j) | (byte_at(at + ${QH_OFFSET + 1}u + j) << 8u);
${[0, 1, 2, 3]
  .map(
    (g) => `  let point_${g} = point_at(((low >> ${8 * g}u) & 255u) | (((high >> ${4 * g}u) & 7u) << 8u));
  let middle_${g} = 1.0 + select(${-DELTA}, ${DELTA}, (high & ${8 << (4 * g)}u) != 0u);`,
  )
  .join('\n')}
  return ${eightVectors(
    (k) => `scales[${k >> 2}] * (vec4<f32>(two_bits_of(point_${k >> 1}, ${k & 1}u)) - middle_${k >> 1})`,
  )};
}
`;
