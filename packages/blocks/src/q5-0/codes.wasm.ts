// Turning 16 floats into 16 codes of five bits, for Q5_0 and Q5_1.

/** 2^23, where a float's low bits are its integer part, and the same plus the largest code. */
const INTEGERS = memory.data<f32>([8388608, 8388608, 8388608, 8388608], 16);
const LARGEST = memory.data<f32>([8388639, 8388639, 8388639, 8388639], 16);
const LOW_BYTE = memory.data<u32>([0xff, 0xff, 0xff, 0xff], 16);

/** min(31, trunc((x − shift) · inverse + middle)) of sixteen floats at `src`, a byte each; the sum must not be negative. */
@inline
export function fiveBitCodes(src: usize, shift: v128, inverse: v128, middle: v128): v128 {
  const a = code(v128.load(src), shift, inverse, middle);
  const b = code(v128.load(src, 16), shift, inverse, middle);
  const c = code(v128.load(src, 32), shift, inverse, middle);
  const d = code(v128.load(src, 48), shift, inverse, middle);
  return i8x16.narrow_i16x8_u(i16x8.narrow_i32x4_s(a, b), i16x8.narrow_i32x4_s(c, d));
}

@inline
function code(x: v128, shift: v128, inverse: v128, middle: v128): v128 {
  const whole = f32x4.floor(f32x4.add(f32x4.mul(f32x4.sub(x, shift), inverse), middle));
  return v128.and(f32x4.pmin(f32x4.add(whole, v128.load(INTEGERS)), v128.load(LARGEST)), v128.load(LOW_BYTE));
}
