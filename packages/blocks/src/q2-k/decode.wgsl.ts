// Q2_K for GPUs (layout.ts; contract: wgsl-decoders.ts). 32 weights from i on have two scale bytes.
import { eightVectors } from '../wgsl-vectors.ts';
import { D_OFFSET, QS_OFFSET } from './layout.ts';

export const q2KWgsl = `
fn decode32(at: u32, i: u32) -> array<vec4<f32>, 8> {
  let packed = word(at + ((i >> 4u) & 12u)) >> (8u * ((i >> 4u) & 2u));
  let d = unpack2x16float(word(at + ${D_OFFSET}u));
  let scales = d.x * bytes_of(packed & 0x0f0f0f0fu);
  let mins = d.y * bytes_of((packed >> 4u) & 0x0f0f0f0fu);
  let a = at + ${QS_OFFSET}u + 32u * (i >> 7u);
  let shift = 2u * ((i >> 5u) & 3u);
  return ${eightVectors(
    (k) => `scales[${k >> 2}] * bytes_of((word(a + ${4 * k}u) >> shift) & 0x03030303u) - mins[${k >> 2}]`,
  )};
}
`;
