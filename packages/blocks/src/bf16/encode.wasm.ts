// F32 → BF16, ties to even, NaN made quiet; eight numbers at a time.

/** `blocks` floats at `src` → as many numbers of 2 bytes at `dst`. */
export function encodeBF16(src: usize, dst: usize, blocks: usize): void {
  const end = src + blocks * 4;
  const end8 = src + (blocks & ~7) * 4;
  while (src < end8) {
    v128.store(dst, i16x8.narrow_i32x4_u(f32ToBf16x4(v128.load(src)), f32ToBf16x4(v128.load(src, 16))));
    src += 32;
    dst += 16;
  }
  while (src < end) {
    store<u16>(dst, i32x4.extract_lane(f32ToBf16x4(v128.load32_zero(src)), 0));
    src += 4;
    dst += 2;
  }
}

@inline
function f32ToBf16x4(bits: v128): v128 {
  const upper = i32x4.shr_u(bits, 16);
  const odd = v128.and(upper, i32x4.splat(1));
  const rounded = i32x4.shr_u(i32x4.add(i32x4.add(bits, i32x4.splat(0x7fff)), odd), 16);
  const isNan = i32x4.gt_s(v128.and(bits, i32x4.splat(0x7fffffff)), i32x4.splat(0x7f800000));
  return v128.bitselect(v128.or(upper, i32x4.splat(64)), rounded, isNan);
}
