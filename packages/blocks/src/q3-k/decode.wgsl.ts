// Q3_K for GPUs (layout.ts, scaleOf; contract: wgsl-decoders.ts).
import { eightVectors } from '../wgsl-vectors.ts';
import { D_OFFSET, QS_OFFSET, SCALES_OFFSET } from './layout.ts';

export const q3KWgsl = `
fn scale_at(at: u32, j: u32) -> f32 {
  let low = (byte_at(at + ${SCALES_OFFSET}u + (j & 7u)) >> (4u * (j >> 3u))) & 15u;
  let high = (byte_at(at + ${SCALES_OFFSET + 8}u + (j & 3u)) >> (2u * (j >> 2u))) & 3u;
  return half_at(at + ${D_OFFSET}u) * (f32(low | (high << 4u)) - 32.0);
}
fn three_bits(low: u32, low_shift: u32, high: u32, high_shift: u32) -> vec4<f32> {
  return bytes_of(((word(low) >> low_shift) & 0x03030303u) | (((word(high) >> high_shift) & 0x01010101u) << 2u)) - 4.0;
}
fn decode32(at: u32, i: u32) -> array<vec4<f32>, 8> {
  let scales = vec2<f32>(scale_at(at, i >> 4u), scale_at(at, (i >> 4u) + 1u));
  let a = at + ${QS_OFFSET}u + 32u * (i >> 7u);
  let shift = 2u * ((i >> 5u) & 3u);
  return ${eightVectors((k) => `scales[${k >> 2}] * three_bits(a + ${4 * k}u, shift, at + ${4 * k}u, i >> 5u)`)};
}
`;
