// Q8_0 into a cache for GPUs (reference.ts; contract: wgsl-encoders.ts).
import { exactWgsl, SMALLEST_BITS } from '../exact.wgsl.ts';
import { QS_OFFSET } from './layout.ts';

export const q8_0EncodeWgsl = `${exactWgsl}
// Ties away from zero. The half steps are counted, since v - trunc(v) may be fused with the product that v is.
fn round_away(v: vec4<f32>) -> vec4<i32> {
  let steps = 2.0 * v;
  let tie = (steps == trunc(steps)) & (v != trunc(v));
  return vec4<i32>(select(round(v), trunc(v) + sign(v), tie));
}
fn encode32(at: u32, x: array<vec4<f32>, 8>) {
  var numbers = x;
  var largest = 0u;
  for (var k = 0u; k < 8u; k++) {
    let bits = bitcast<vec4<u32>>(numbers[k]) & vec4<u32>(0x7fffffffu);
    largest = max(largest, max(max(bits.x, bits.y), max(bits.z, bits.w)));
  }
  var half = 0u;
  var inverse = 0.0;
  if (largest >= 0x7f800000u) {
    half = nearest_half(bitcast<f32>(largest));
  } else if (largest >= ${SMALLEST_BITS}u) {
    let d = quotient(bitcast<f32>(largest), 127.0);
    half = nearest_half(d);
    inverse = quotient(1.0, d);
  }
  put_half(at, half);
  for (var k = 0u; k < 8u; k++) {
    var codes = vec4<i32>();
    if (inverse != 0.0) { codes = round_away(numbers[k] * inverse); }
    let bytes = vec4<u32>(codes) & vec4<u32>(255u);
    put_half(at + ${QS_OFFSET}u + 4u * k, bytes.x | (bytes.y << 8u));
    put_half(at + ${QS_OFFSET + 2}u + 4u * k, bytes.z | (bytes.w << 8u));
  }
}
`;
