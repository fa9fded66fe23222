// MXFP4 for GPUs (layout.ts; contract: wgsl-decoders.ts). Scales of 2^-127 and below are 0: GPUs have no subnormal numbers.
import { levelsWgsl } from '../iq4-nl/levels.wgsl.ts';
import { eightVectors } from '../wgsl-vectors.ts';
import { QS_OFFSET, VALUES } from './layout.ts';

export const mxfp4Wgsl = `${levelsWgsl(VALUES)}
fn decode32(at: u32, i: u32) -> array<vec4<f32>, 8> {
  let e = byte_at(at);
  let scale = select(0.0, bitcast<f32>((e - 1u) << 23u), e > 1u);
  let q = vec4<u32>(${[0, 4, 8, 12].map((byte) => `word(at + ${QS_OFFSET + byte}u)`).join(', ')});
  return ${eightVectors((k) => `scale * levels_of(q[${k % 4}]${k < 4 ? '' : ' >> 4u'})`)};
}
`;
