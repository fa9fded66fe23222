import { maxLane } from './lanes.wasm';

/** The largest of `cols` ≥ 1 floats; NaN if there is one. */
export function rowMax(row: usize, cols: usize): f32 {
  let highest = f32x4.splat(-Infinity);
  const whole = row + (cols & ~3) * 4;
  const end = row + cols * 4;
  for (; row < whole; row += 16) highest = f32x4.max(highest, v128.load(row));
  for (; row < end; row += 4) highest = f32x4.max(highest, v128.load32_splat(row));
  return maxLane(highest);
}
