// F32 arithmetic for GPUs where the last bit decides: WGSL lets a driver divide with an error of 2.5 units in the last place,
// narrow a float either way, and fuse a product with the sum that follows.

/** Bits of 2^-119: a block whose largest magnitude is below has a step that is subnormal, which GPUs take for 0. */
export const SMALLEST_BITS = (127 - 119) << 23;

/**
 * `quotient(a, b)`: a / b as IEEE rounds it, for positive normal numbers with a normal quotient.
 * `nearest_half(x)`: bits of the F16 nearest to x, ties to even, from 65520 on infinity; as half.ts does.
 */
export const exactWgsl = `
// Long division of the mantissas: 24 bits, and what remains says how to round.
fn quotient(a: f32, b: f32) -> f32 {
  let divisor = (bitcast<u32>(b) & 0x7fffffu) | 0x800000u;
  var rest = (bitcast<u32>(a) & 0x7fffffu) | 0x800000u;
  var exponent = (bitcast<u32>(a) >> 23u) - (bitcast<u32>(b) >> 23u) + 127u;
  if (rest < divisor) {
    rest <<= 1u;
    exponent--;
  }
  var digits = 0u;
  for (var i = 0u; i < 24u; i++) {
    digits <<= 1u;
    if (rest >= divisor) {
      rest -= divisor;
      digits++;
    }
    rest <<= 1u;
  }
  if (rest > divisor || (rest == divisor && (digits & 1u) == 1u)) { digits++; }
  return bitcast<f32>((exponent << 23u) + (digits - 0x800000u)); // a carry beyond the mantissa raises the exponent
}
fn nearest_half(x: f32) -> u32 {
  let sign = (bitcast<u32>(x) >> 16u) & 0x8000u;
  let magnitude = bitcast<u32>(x) & 0x7fffffffu;
  if (magnitude > 0x7f800000u) { return sign | 0x7e00u; }
  if (magnitude >= 0x47800000u) { return sign | 0x7c00u; }
  if (magnitude < 0x38800000u) { return sign | u32(round(bitcast<f32>(magnitude) * 16777216.0)); }
  return sign | ((magnitude - 0x38000000u + 0xfffu + ((magnitude >> 13u) & 1u)) >> 13u);
}
`;
