// Sixteen stored weights against sixteen activations (row.wasm.ts), in two instruction sets:
// - plain SIMD: bytes fall apart into even and odd ones without being widened, and i32x4.dot_i16x8_s adds products of
//   neighbours; activations are 16-bit words;
// - relaxed SIMD: one instruction multiplies 16 pairs of bytes; activations are signed bytes. The weights must be below
//   128, or engines may differ.
// Both give four parts of the same exact sum; which weights a part holds differs.
import { LOW_BYTE, NIBBLES, WORD_NIBBLE } from './constants.wasm';

/** Bytes from 16 activations to the next 16. */
export const NEXT: usize = ASC_FEATURE_RELAXED_SIMD ? 16 : 32;

/** What `dotBytes` takes as its mask, as an address. */
export const BYTES_MASK = LOW_BYTE;
/** What the functions of nibbles take as their mask, as an address. */
export const NIBBLE_MASK: usize = ASC_FEATURE_RELAXED_SIMD ? NIBBLES : WORD_NIBBLE;

@inline
function dotRelaxed(bytes: v128, x: usize): v128 {
  return i32x4.relaxed_dot_i8x16_i7x16_add_s(v128.load(x), bytes, i32x4.splat(0));
}

/** Σ w · x in four parts; `bytes` holds 16 unsigned bytes below 128. */
@inline
export function dotBytes(bytes: v128, mask: v128, x: usize): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return dotRelaxed(bytes, x);
  return i32x4.add(
    i32x4.dot_i16x8_s(v128.and(bytes, mask), v128.load(x)),
    i32x4.dot_i16x8_s(i16x8.shr_u(bytes, 8), v128.load(x, 16)),
  );
}

/** The same for signed bytes. */
@inline
export function dotSignedBytes(bytes: v128, x: usize): v128 {
  if (ASC_FEATURE_RELAXED_SIMD)
    return i32x4.add(
      i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_s(bytes), v128.load8x8_s(x)),
      i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_s(bytes), v128.load8x8_s(x, 8)),
    );
  return i32x4.add(
    i32x4.dot_i16x8_s(i16x8.shr_s(i16x8.shl(bytes, 8), 8), v128.load(x)),
    i32x4.dot_i16x8_s(i16x8.shr_s(bytes, 8), v128.load(x, 16)),
  );
}

/** The same for the low nibbles of 16 bytes. */
@inline
export function dotLowNibbles(bytes: v128, mask: v128, x: usize): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return dotRelaxed(v128.and(bytes, mask), x);
  return i32x4.add(
    i32x4.dot_i16x8_s(v128.and(bytes, mask), v128.load(x)),
    i32x4.dot_i16x8_s(v128.and(i16x8.shr_u(bytes, 8), mask), v128.load(x, 16)),
  );
}

/** The same for their high nibbles. */
@inline
export function dotHighNibbles(bytes: v128, mask: v128, x: usize): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return dotRelaxed(v128.and(i16x8.shr_u(bytes, 4), mask), x);
  return i32x4.add(
    i32x4.dot_i16x8_s(v128.and(i16x8.shr_u(bytes, 4), mask), v128.load(x)),
    i32x4.dot_i16x8_s(i16x8.shr_u(bytes, 12), v128.load(x, 16)),
  );
}

/** Eight 16-bit scales → the first two, four times each. */
@inline
export function firstTwoScales(scales: v128): v128 {
  const pairs = v128.shuffle<u16>(scales, scales, 0, 8, 1, 9, 2, 10, 3, 11);
  return v128.shuffle<u32>(pairs, pairs, 0, 4, 1, 5);
}

/** Eight 16-bit scales with the first two dropped. */
@inline
export function dropTwoScales(scales: v128): v128 {
  return v128.shuffle<u32>(scales, scales, 1, 2, 3, 3);
}

/** scale · sum of two sub-blocks, the parts of each of which must fit 16 bits. */
@inline
export function scaleSums(first: v128, second: v128, scales: v128): v128 {
  return i32x4.dot_i16x8_s(i16x8.narrow_i32x4_s(first, second), scales);
}

/** Unsigned bytes times `scale` → i16 in the order of activations. */
@inline
export function storeScaledBytes(dst: usize, bytes: v128, lowByte: v128, scale: v128): void {
  v128.store(dst, i16x8.mul(v128.and(bytes, lowByte), scale));
  v128.store(dst, i16x8.mul(i16x8.shr_u(bytes, 8), scale), 16);
}

/** Signed bytes → i16 in the order of activations. */
@inline
export function storeSignedBytes(dst: usize, bytes: v128): void {
  v128.store(dst, i16x8.shr_s(i16x8.shl(bytes, 8), 8));
  v128.store(dst, i16x8.shr_s(bytes, 8), 16);
}
