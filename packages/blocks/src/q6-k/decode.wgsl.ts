// Q6_K for GPUs (layout.ts; contract: wgsl-decoders.ts). 32 weights from i on share bytes of ql and qh and have two
// scales, whose bytes begin at an even place.
import { eightVectors } from '../wgsl-vectors.ts';
import { D_OFFSET, QH_OFFSET, SCALES_OFFSET } from './layout.ts';

export const q6KWgsl = `
fn six_bits(low: u32, low_shift: u32, high: u32, high_shift: u32) -> vec4<f32> {
  return bytes_of(((word(low) >> low_shift) & 0x0f0f0f0fu) | (((word(high) >> high_shift) & 0x03030303u) << 4u)) - 32.0;
}
fn decode32(at: u32, i: u32) -> array<vec4<f32>, 8> {
  let part = (i >> 5u) & 3u;
  let low = at + 64u * (i >> 7u) + 32u * (part & 1u);
  let low_shift = 4u * (part >> 1u);
  let high = at + ${QH_OFFSET}u + 32u * (i >> 7u);
  let scales = half_at(at + ${D_OFFSET}u) * signed_bytes_of(word(at + ${SCALES_OFFSET}u + (i >> 4u)));
  return ${eightVectors(
    (k) => `scales[${k >> 2}] * six_bits(low + ${4 * k}u, low_shift, high + ${4 * k}u, 2u * part)`,
  )};
}
`;
