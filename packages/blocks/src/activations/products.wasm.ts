// Sixteen stored weights against sixteen activations (row.wasm.ts): bytes fall apart into even and odd ones without
// being widened, and i32x4.dot_i16x8_s adds products of neighbours.

/** Σ w · x in four parts; `words` holds 16 unsigned bytes below 128. */
@inline
export function dotBytes(words: v128, evens: v128, x: usize): v128 {
  return i32x4.add(
    i32x4.dot_i16x8_s(v128.and(words, evens), v128.load(x)),
    i32x4.dot_i16x8_s(i16x8.shr_u(words, 8), v128.load(x, 16)),
  );
}

/** The same for signed bytes. */
@inline
export function dotSignedBytes(words: v128, x: usize): v128 {
  return i32x4.add(
    i32x4.dot_i16x8_s(i16x8.shr_s(i16x8.shl(words, 8), 8), v128.load(x)),
    i32x4.dot_i16x8_s(i16x8.shr_s(words, 8), v128.load(x, 16)),
  );
}

/** The same for the low nibbles of 16 bytes; `nibble` is 15 in every 16-bit word. */
@inline
export function dotLowNibbles(words: v128, nibble: v128, x: usize): v128 {
  return i32x4.add(
    i32x4.dot_i16x8_s(v128.and(words, nibble), v128.load(x)),
    i32x4.dot_i16x8_s(v128.and(i16x8.shr_u(words, 8), nibble), v128.load(x, 16)),
  );
}

/** The same for their high nibbles. */
@inline
export function dotHighNibbles(words: v128, nibble: v128, x: usize): v128 {
  return i32x4.add(
    i32x4.dot_i16x8_s(v128.and(i16x8.shr_u(words, 4), nibble), v128.load(x)),
    i32x4.dot_i16x8_s(i16x8.shr_u(words, 12), v128.load(x, 16)),
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

/** scale · sum of two sub-blocks. Each part must fit 16 bits: four weights below 2^13 / 127 · … do. */
@inline
export function scaleSums(first: v128, second: v128, scales: v128): v128 {
  return i32x4.dot_i16x8_s(i16x8.narrow_i32x4_s(first, second), scales);
}

/** Unsigned bytes → 16 activations' worth of i16 in their order, times `scale`. */
@inline
export function storeScaledBytes(dst: usize, bytes: v128, evens: v128, scale: v128): void {
  v128.store(dst, i16x8.mul(v128.and(bytes, evens), scale));
  v128.store(dst, i16x8.mul(i16x8.shr_u(bytes, 8), scale), 16);
}

/** Signed bytes → i16 in the order of activations. */
@inline
export function storeSignedBytes(dst: usize, bytes: v128): void {
  v128.store(dst, i16x8.shr_s(i16x8.shl(bytes, 8), 8));
  v128.store(dst, i16x8.shr_s(bytes, 8), 16);
}
