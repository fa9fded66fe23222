// Narrow floats in AssemblyScript: the scalar conversions block headers need, and the four-lane ones bulk data needs.
// Same values as half.ts. Integer arithmetic throughout: the usual shift-and-multiply trick meets F32 subnormals, which
// cost hundreds of cycles each on x86.

/** F16 bits → F32. A signalling NaN comes out quiet, as ggml's does. */
@inline
export function f16ToF32(half: u32): f32 {
  const magnitude = half & 0x7fff;
  const sign = (half & 0x8000) << 16;
  if (magnitude - 0x0400 < 0x7800) return reinterpret<f32>(sign | ((magnitude << 13) + 0x38000000));
  if (magnitude < 0x0400) {
    return reinterpret<f32>(sign | reinterpret<u32>(<f32>magnitude * reinterpret<f32>(0x33800000))); // · 2^-24
  }
  return reinterpret<f32>(sign | 0x7f800000 | (magnitude << 13) | (magnitude > 0x7c00 ? 0x00400000 : 0));
}

/** F32 → F16 bits, ties to even, NaN → 0x7E00 with its sign. */
@inline
export function f32ToF16(value: f32): u32 {
  const bits = reinterpret<u32>(value);
  const magnitude = bits & 0x7fffffff;
  const sign = (bits >> 16) & 0x8000;
  if (magnitude - 0x38800000 < 0x47800000 - 0x38800000) {
    return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >> 13) & 1)) >> 13);
  }
  // At 0.5 one F32 step is 2^-24, the F16 subnormal step: the addition itself rounds.
  if (magnitude < 0x38800000) {
    return sign | (reinterpret<u32>(reinterpret<f32>(magnitude) + <f32>0.5) - 0x3f000000);
  }
  return sign | (magnitude > 0x7f800000 ? 0x7e00 : 0x7c00);
}

/** Result of F32 arithmetic → F16 bits: the NaN of an invalid operation (∞ / ∞) has its sign set on x86-64. */
@inline
export function resultToF16(value: f32): u32 {
  return value != value ? 0xfe00 : f32ToF16(value);
}

/** Four F16 bit patterns, one in the low half of each i32 lane (upper halves zero) → four F32. */
@inline
export function f16ToF32x4(half: v128): v128 {
  const magnitude = v128.and(half, i32x4.splat(0x7fff));
  const shifted = i32x4.shl(magnitude, 13);
  const normal = i32x4.add(shifted, i32x4.splat(0x38000000));
  const subnormal = f32x4.mul(f32x4.convert_i32x4_s(magnitude), f32x4.splat(reinterpret<f32>(0x33800000)));
  const quiet = v128.and(i32x4.gt_s(magnitude, i32x4.splat(0x7c00)), i32x4.splat(0x00400000));
  const special = v128.or(v128.or(shifted, i32x4.splat(0x7f800000)), quiet);
  const finite = v128.bitselect(subnormal, normal, i32x4.lt_s(magnitude, i32x4.splat(0x0400)));
  const value = v128.bitselect(special, finite, i32x4.ge_s(magnitude, i32x4.splat(0x7c00)));
  return v128.or(value, i32x4.shl(v128.and(half, i32x4.splat(0x8000)), 16));
}

const MAGNITUDE = memory.data<u32>([0x7fffffff, 0x7fffffff, 0x7fffffff, 0x7fffffff], 16);
const F16_LEAST_NORMAL = memory.data<u32>([0x38800000, 0x38800000, 0x38800000, 0x38800000], 16);
const F16_OVERFLOW = memory.data<u32>([0x47800000, 0x47800000, 0x47800000, 0x47800000], 16);
const F32_INFINITY = memory.data<u32>([0x7f800000, 0x7f800000, 0x7f800000, 0x7f800000], 16);
/** Rebias the exponent (−112 · 2^23) and add half a unit of the last F16 place, less one. */
const F16_REBIAS = memory.data<u32>([0xc8000fff, 0xc8000fff, 0xc8000fff, 0xc8000fff], 16);
const ONE_HALF = memory.data<u32>([0x3f000000, 0x3f000000, 0x3f000000, 0x3f000000], 16);

/** Four F32 → four F16 bit patterns in the low halves of i32 lanes. */
@inline
export function f32ToF16x4(values: v128): v128 {
  const mask = v128.load(MAGNITUDE);
  const half = v128.load(ONE_HALF);
  const infinity = v128.load(F32_INFINITY);
  const magnitude = v128.and(values, mask);
  const sign = i32x4.shr_u(v128.andnot(values, mask), 16);
  const odd = i32x4.shr_u(i32x4.shl(magnitude, 18), 31);
  const normal = i32x4.shr_u(i32x4.add(i32x4.add(magnitude, v128.load(F16_REBIAS)), odd), 13);
  const subnormal = i32x4.sub(f32x4.add(magnitude, half), half);
  const special = v128.bitselect(i32x4.splat(0x7e00), i32x4.splat(0x7c00), i32x4.gt_s(magnitude, infinity));
  const finite = v128.bitselect(subnormal, normal, i32x4.lt_s(magnitude, v128.load(F16_LEAST_NORMAL)));
  return v128.or(sign, v128.bitselect(special, finite, i32x4.ge_s(magnitude, v128.load(F16_OVERFLOW))));
}
