// The fifth bits of Q5_0 and Q5_1: 32 of them in one word, spread to one byte per weight.

/** Bits `16·half … 16·half + 15` of `bits` → sixteen bytes of 0 or 16. */
@inline
export function fifthBits(bits: u32, half: u32): v128 {
  const word = i16x8.splat(<i16>(bits >> (16 * half)));
  // Lanes 0–7 test a bit of the low byte, lanes 8–15 one of the high byte.
  const bytes = v128.shuffle<u8>(word, word, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1);
  const mask = i8x16(1, 2, 4, 8, 16, 32, 64, -128, 1, 2, 4, 8, 16, 32, 64, -128);
  return v128.and(i8x16.eq(v128.and(bytes, mask), mask), i8x16.splat(16));
}

/** 32 codes of five bits, a byte each in two vectors: fifth bits to the word at `qh`, lower four to 16 bytes at `qs`. */
@inline
export function storeFiveBits(qh: usize, qs: usize, low: v128, high: v128): void {
  v128.store(qs, v128.or(v128.and(low, i8x16.splat(15)), i8x16.shl(high, 4)));
  // Bit 4 of every code moves to the sign, which bitmask gathers.
  const lowBits = <u32>i8x16.bitmask(i8x16.shl(low, 3));
  const highBits = <u32>i8x16.bitmask(i8x16.shl(high, 3));
  store<u32>(qh, lowBits | (highBits << 16));
}
