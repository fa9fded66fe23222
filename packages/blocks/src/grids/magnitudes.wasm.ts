// magnitudes.ts on eight codes of 16 bits.

/** 8, 25, 43 of codes 0, 1, 2. */
@inline
export function iq2Magnitudes(codes: v128): v128 {
  return i16x8.add(i16x8.shr_u(i16x8.mul(codes, i16x8.splat(35)), 1), i16x8.splat(8));
}

/** 4, 12, 20 … 52, 62 of codes 0 … 7. */
@inline
export function iq3xxsMagnitudes(codes: v128): v128 {
  const seventh = i16x8.shr_u(i16x8.add(codes, i16x8.splat(1)), 3);
  return i16x8.add(i16x8.add(i16x8.shl(codes, 3), i16x8.splat(4)), i16x8.shl(seventh, 1));
}
