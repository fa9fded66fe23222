// Q6_K as integers for GPUs (layout.ts; contract: wgsl-integers.ts): d · sc · (q − 32). As in decode.wgsl.ts, 32 weights
// have two scales.
import { eightWords } from '../wgsl-vectors.ts';
import { D_OFFSET, QH_OFFSET, SCALES_OFFSET } from './layout.ts';

export const q6KIntegers = `
fn integers32(at: u32, i: u32) -> Integers {
  let part = (i >> 5u) & 3u;
  let low = at + 64u * (i >> 7u) + 32u * (part & 1u);
  let low_shift = 4u * (part >> 1u);
  let high = at + ${QH_OFFSET}u + 32u * (i >> 7u);
  let high_shift = 2u * part;
  let packed = word(at + ${SCALES_OFFSET}u + (i >> 4u));
  let scales = vec2<i32>(bitcast<i32>(packed << 24u), bitcast<i32>(packed << 16u)) >> vec2<u32>(24u);
  let codes = ${eightWords(
    (k) =>
      `((word(low + ${4 * k}u) >> low_shift) & 0x0f0f0f0fu) | (((word(high + ${4 * k}u) >> high_shift) & 0x03030303u) << 4u)`,
  )};
  return Integers(codes, scales, 32 * scales, 0, vec2<f32>(half_at(at + ${D_OFFSET}u), 0.0));
}
`;
