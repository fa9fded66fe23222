// Points of a grid (points.ts) taken apart: their codes, one per 16-bit lane. A multiplication moves each field to the top of
// its lane, a shift brings it down.

const TWO_BIT_FIELDS = memory.data<u16>([0x4000, 0x1000, 0x0400, 0x0100, 0x0040, 0x0010, 0x0004, 0x0001], 16);
const THREE_BIT_FIELDS = memory.data<u16>([0x2000, 0x0400, 0x0080, 0x0010, 0x2000, 0x0400, 0x0080, 0x0010], 16);

/** The eight codes of a point. */
@inline
export function eightCodes(point: u32): v128 {
  return i16x8.shr_u(i16x8.mul(i16x8.splat(<i16>point), v128.load(TWO_BIT_FIELDS)), 14);
}

/** The four codes of one point, then those of another. */
@inline
export function fourAndFourCodes(first: u32, second: u32): v128 {
  const both = i32x4.splat(first | (second << 16));
  const spread = v128.shuffle<u8>(both, both, 0, 1, 0, 1, 0, 1, 0, 1, 2, 3, 2, 3, 2, 3, 2, 3);
  return i16x8.shr_u(i16x8.mul(spread, v128.load(THREE_BIT_FIELDS)), 13);
}

/** The point at `index` of a table in points.wasm.ts. */
@inline
export function pointAt(points: usize, index: u32): u32 {
  return load<u16>(points + 2 * <usize>index);
}

/** Eight 16-bit integers times `scale` → 8 floats. */
@inline
export function storeScaled8(dst: usize, values: v128, scale: v128): void {
  v128.store(dst, f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(values)), scale));
  v128.store(dst, f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(values)), scale), 16);
}
