// IQ4_XS for GPUs (layout.ts; contract: wgsl-decoders.ts). The first word is d and the upper bits of the scales.
import { VALUES } from '../iq4-nl/layout.ts';
import { levelsWgsl } from '../iq4-nl/levels.wgsl.ts';
import { eightVectors } from '../wgsl-vectors.ts';
import { QS_OFFSET, SCALES_LOW_OFFSET } from './layout.ts';

export const iq4XsWgsl = `${levelsWgsl(VALUES)}
fn decode32(at: u32, i: u32) -> array<vec4<f32>, 8> {
  let j = i >> 5u;
  let low = (byte_at(at + ${SCALES_LOW_OFFSET}u + (j >> 1u)) >> (4u * (j & 1u))) & 15u;
  let high = (word(at) >> (16u + 2u * j)) & 3u;
  let scale = half_at(at) * (f32(low | (high << 4u)) - 32.0);
  let a = at + ${QS_OFFSET}u + 16u * j;
  let q = vec4<u32>(word(a), word(a + 4u), word(a + 8u), word(a + 12u));
  return ${eightVectors((k) => `scale * levels_of(q[${k % 4}]${k < 4 ? '' : ' >> 4u'})`)};
}
`;
