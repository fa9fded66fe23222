// Scale and minimum of a sub-block of Q4_K and Q5_K for GPUs: (sc, m), and (d · sc, dmin · m), of sub-block j (layout.ts,
// scaleOf and minOf). Twelve bytes as three words s: byte j mod 4 of each word belongs to sub-block j.
import { SCALES_OFFSET } from './layout.ts';

export const scaleMinWgsl = `
fn scale_min_codes(at: u32, j: u32) -> vec2<u32> {
  let shift = 8u * (j & 3u);
  let s = vec3<u32>(${[0, 4, 8].map((byte) => `word(at + ${SCALES_OFFSET + byte}u)`).join(', ')}) >> vec3<u32>(shift);
  var sc = s.x & 63u;
  var m = s.y & 63u;
  if (j >= 4u) {
    sc = (s.z & 15u) | ((s.x >> 2u) & 48u);
    m = ((s.z >> 4u) & 15u) | ((s.y >> 2u) & 48u);
  }
  return vec2<u32>(sc, m);
}
fn scale_min(at: u32, j: u32) -> vec2<f32> {
  return unpack2x16float(word(at)) * vec2<f32>(scale_min_codes(at, j));
}
`;
