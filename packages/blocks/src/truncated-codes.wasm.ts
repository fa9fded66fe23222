// Turning 16 floats into 16 codes by truncation, as Q4_1, Q5_0 and Q5_1 do without importance.

/** 2^23, where a float's low bits are its integer part. */
const INTEGERS = memory.data<f32>([8388608, 8388608, 8388608, 8388608], 16);
const LOW_BYTE = memory.data<u32>([0xff, 0xff, 0xff, 0xff], 16);
/** For `largest`: 2^23 plus the largest code of four and of five bits. */
export const LARGEST_OF_4_BITS = memory.data<f32>([8388623, 8388623, 8388623, 8388623], 16);
export const LARGEST_OF_5_BITS = memory.data<f32>([8388639, 8388639, 8388639, 8388639], 16);

/** min(largest code, trunc((x − shift) · inverse + middle)) of 16 floats at `src`, a byte each; sums must not be negative. */
@inline
export function truncatedCodes(src: usize, shift: v128, inverse: v128, middle: v128, largest: v128): v128 {
  const a = code(v128.load(src), shift, inverse, middle, largest);
  const b = code(v128.load(src, 16), shift, inverse, middle, largest);
  const c = code(v128.load(src, 32), shift, inverse, middle, largest);
  const d = code(v128.load(src, 48), shift, inverse, middle, largest);
  return i8x16.narrow_i16x8_u(i16x8.narrow_i32x4_s(a, b), i16x8.narrow_i32x4_s(c, d));
}

@inline
function code(x: v128, shift: v128, inverse: v128, middle: v128, largest: v128): v128 {
  const whole = f32x4.floor(f32x4.add(f32x4.mul(f32x4.sub(x, shift), inverse), middle));
  return v128.and(f32x4.pmin(f32x4.add(whole, v128.load(INTEGERS)), largest), v128.load(LOW_BYTE));
}
