// ggml's nearest_int (rounding.ts) in AssemblyScript.
//
// Vector constants that loops need are loaded from memory: V8 rebuilds a v128 constant at every use (three instructions
// from Node 24 on), which costs the K-quant searches a quarter to half of their speed.

/** 1.5 · 2^23 four times: adding it rounds a float to an integer, ties to even. */
export const ROUNDER = memory.data<f32>([12582912, 12582912, 12582912, 12582912], 16);
const MANTISSA = memory.data<u32>([0x007fffff, 0x007fffff, 0x007fffff, 0x007fffff], 16);
const MIDDLE = memory.data<u32>([0x00400000, 0x00400000, 0x00400000, 0x00400000], 16);

@inline
export function nearestInt(value: f32): i32 {
  return (reinterpret<i32>(value + <f32>12582912) & 0x007fffff) - 0x00400000;
}

/** Four nearest integers, exactly the scalar function also where it is out of its range. */
@inline
export function nearestInt4(values: v128): v128 {
  const rounded = v128.and(f32x4.add(values, v128.load(ROUNDER)), v128.load(MANTISSA));
  return i32x4.sub(rounded, v128.load(MIDDLE));
}

/** Four nearest integers as floats, clamped to low…high: right as long as the values are below 2^22. */
@inline
export function nearestClamped(values: v128, rounder: v128, low: v128, high: v128): v128 {
  return f32x4.pmax(f32x4.pmin(f32x4.sub(f32x4.add(values, rounder), rounder), high), low);
}
