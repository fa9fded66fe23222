// ternary.ts on blocks of 256 weights: codes 0 … 2 as bytes.
import { largestLane } from '../horizontal.wasm';

const HALF = memory.data<f32>([0.5, 0.5, 0.5, 0.5], 16);
const MINUS_HALF = memory.data<f32>([-0.5, -0.5, -0.5, -0.5], 16);

/** The scale of 256 weights: their largest magnitude. */
@inline
export function ternaryScale(src: usize): f32 {
  let even = f32x4.abs(v128.load(src));
  let odd = f32x4.abs(v128.load(src, 16));
  for (let i: usize = 32; i < 1024; i += 32) {
    even = f32x4.pmax(even, f32x4.abs(v128.load(src + i)));
    odd = f32x4.pmax(odd, f32x4.abs(v128.load(src + i, 16)));
  }
  return largestLane(f32x4.pmax(even, odd));
}

/** What to multiply weights with; 0, which makes all codes those of zero, where 1 / scale is infinite. */
@inline
export function ternaryInverse(scale: f32): v128 {
  const inverse: f32 = <f32>1 / scale;
  return f32x4.splat(inverse == Infinity ? 0 : inverse);
}

/** Codes of the sixteen weights at `src`. */
@inline
export function ternaryCodes(src: usize, inverse: v128): v128 {
  const low = i16x8.narrow_i32x4_s(sign(v128.load(src), inverse), sign(v128.load(src, 16), inverse));
  const high = i16x8.narrow_i32x4_s(sign(v128.load(src, 32), inverse), sign(v128.load(src, 48), inverse));
  return i8x16.add(i8x16.narrow_i16x8_s(low, high), i8x16.splat(1));
}

/** Scaled weights are within ±1 (and a rounding error), so that one comparison rounds. */
@inline
function sign(x: v128, inverse: v128): v128 {
  const scaled = f32x4.mul(x, inverse);
  return i32x4.sub(f32x4.le(scaled, v128.load(MINUS_HALF)), f32x4.ge(scaled, v128.load(HALF)));
}
