// Q4_0 into a cache for GPUs (reference.ts without importance; contract: wgsl-encoders.ts).
import { exactWgsl, SMALLEST_BITS } from '../exact.wgsl.ts';
import { QS_OFFSET } from './layout.ts';

export const q4_0EncodeWgsl = `${exactWgsl}
// A product that cannot be fused with a sum: no compiler knows that p.items is below 2^31.
fn product_of(a: vec4<f32>, b: f32) -> vec4<f32> {
  return bitcast<vec4<f32>>(bitcast<vec4<u32>>(a * b) ^ vec4<u32>(p.items >> 31u));
}
fn four_codes(x: vec4<f32>, inverse: f32) -> vec4<u32> {
  let finite = (bitcast<vec4<u32>>(x) & vec4<u32>(0x7fffffffu)) < vec4<u32>(0x7f800000u);
  var codes = vec4<u32>(8u);
  if (inverse != 0.0) { codes = min(vec4<u32>(15u), vec4<u32>(product_of(x, inverse) + 8.5)); }
  return select(vec4<u32>(), codes, finite);
}
fn encode32(at: u32, x: array<vec4<f32>, 8>) {
  var numbers = x;
  var largest = 0u;
  var extreme = 0u;
  for (var i = 0u; i < 32u; i++) {
    let bits = bitcast<u32>(numbers[i >> 2u][i & 3u]);
    let magnitude = bits & 0x7fffffffu;
    if (magnitude > largest && magnitude <= 0x7f800000u) {
      largest = magnitude;
      extreme = bits;
    }
  }
  var half = 0u;
  var inverse = 0.0;
  let sign = ~extreme & 0x80000000u; // of d = extreme / −8
  if (largest == 0x7f800000u) {
    half = (sign >> 16u) | 0x7c00u;
  } else if (largest >= ${SMALLEST_BITS}u) {
    let d = bitcast<f32>(largest) / 8.0;
    half = (sign >> 16u) | nearest_half(d);
    inverse = bitcast<f32>(bitcast<u32>(quotient(1.0, d)) | sign);
  }
  put_half(at, half);
  for (var k = 0u; k < 4u; k++) {
    let packed = four_codes(numbers[k], inverse) | (four_codes(numbers[k + 4u], inverse) << vec4<u32>(4u));
    put_half(at + ${QS_OFFSET}u + 4u * k, packed.x | (packed.y << 8u));
    put_half(at + ${QS_OFFSET + 2}u + 4u * k, packed.z | (packed.w << 8u));
  }
}
`;
