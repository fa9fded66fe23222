// The points of IQ1_S and IQ1_M: codes that stand for −1, 0 and 1, shifted by ±⅛.
import { eightCodes, pointAt } from './codes.wasm';
import { IQ1_POINTS } from './points.wasm';

/** (q − 1 ± ⅛) · scale of the point at `index` → 8 floats; `shift` is ±⅛ in every lane. */
@inline
export function storeTernary(dst: usize, index: u32, shift: v128, scale: v128): void {
  const values = i16x8.sub(eightCodes(pointAt(IQ1_POINTS, index)), i16x8.splat(1));
  const low = f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(values));
  const high = f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(values));
  v128.store(dst, f32x4.mul(f32x4.add(low, shift), scale));
  v128.store(dst, f32x4.mul(f32x4.add(high, shift), scale), 16);
}
