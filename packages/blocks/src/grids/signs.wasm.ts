// Signs of eight weights (signs.ts), as bits or as masks.

const BITS = memory.data<u16>([1, 2, 4, 8, 16, 32, 64, 128], 16);

/** Eight sign bits from the seven stored: the last makes their number even. */
@inline
export function evenSigns(stored: u32): u32 {
  return stored | ((popcnt(stored) & 1) << 7);
}

/** `values`, eight of 16 bits, negated where the bit of `signs` is set. */
@inline
export function applySigns(values: v128, signs: u32): v128 {
  const bits = v128.load(BITS);
  const negative = i16x8.eq(v128.and(i16x8.splat(<i16>signs), bits), bits);
  return i16x8.sub(v128.xor(values, negative), negative);
}
