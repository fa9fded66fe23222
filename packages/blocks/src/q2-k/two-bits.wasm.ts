// Two bits per weight, as Q2_K and Q3_K pack them (layout.ts).

/** Bits 0–1 of 256 codes, a byte each at `codes` → 64 bytes at `qs`. */
@inline
export function packTwoBits(codes: usize, qs: usize): void {
  const two = i8x16.splat(3);
  for (let half: usize = 0; half < 2; half++) {
    for (let part: usize = 0; part < 32; part += 16) {
      const at = codes + 128 * half + part;
      const q0 = v128.and(v128.load(at), two);
      const q1 = i16x8.shl(v128.and(v128.load(at, 32), two), 2);
      const q2 = i16x8.shl(v128.and(v128.load(at, 64), two), 4);
      const q3 = i16x8.shl(v128.and(v128.load(at, 96), two), 6);
      v128.store(qs + 32 * half + part, v128.or(v128.or(q0, q1), v128.or(q2, q3)));
    }
  }
}
