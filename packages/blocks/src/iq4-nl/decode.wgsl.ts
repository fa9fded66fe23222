// IQ4_NL for GPUs (layout.ts; contract: wgsl-decoders.ts).
import { eightVectors } from '../wgsl-vectors.ts';
import { QS_OFFSET, VALUES } from './layout.ts';
import { levelsWgsl } from './levels.wgsl.ts';

export const iq4NlWgsl = `${levelsWgsl(VALUES)}
fn decode32(at: u32, i: u32) -> array<vec4<f32>, 8> {
  let d = half_at(at);
  let q = vec4<u32>(${[0, 4, 8, 12].map((byte) => `word(at + ${QS_OFFSET + byte}u)`).join(', ')});
  return ${eightVectors((k) => `d * levels_of(q[${k % 4}]${k < 4 ? '' : ' >> 4u'})`)};
}
`;
