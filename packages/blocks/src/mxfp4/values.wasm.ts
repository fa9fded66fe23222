// VALUES of layout.ts, as bytes for a swizzle, and the scale.
export const VALUES = memory.data<i8>([0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12], 16);

/** 2^(e − 128), subnormal for e < 2. */
@inline
export function halfScale(e: u32): f32 {
  return reinterpret<f32>(e < 2 ? 0x00200000 << e : (e - 1) << 23);
}

/** The same of four. */
@inline
export function halfScales(e: v128): v128 {
  const one = i32x4.splat(1);
  const subnormal = i32x4.mul(i32x4.add(e, one), i32x4.splat(0x00200000));
  return v128.bitselect(subnormal, i32x4.shl(i32x4.sub(e, one), 23), i32x4.lt_s(e, i32x4.splat(2)));
}
