// Codes of five bits in Q5_0 and Q5_1, eight rows side by side (activations/rows8.wasm.ts): `qh` points at a word of fifth
// bits per row, `qs` at four quads of every row, 32 bytes apart. A byte of fifth bits belongs to two quads: it is copied to the four
// bytes of its row, of which each keeps its own bit.
import { FIFTH, NIBBLES } from '../activations/constants.wasm';
import { WORD } from '../activations/panel.wasm';
import { QUAD, addQuad, lookUp } from '../activations/products.wasm';

/** Which bytes of four rows are copied: the first of each, the third, the second, the fourth. */
const COPIES = memory.data<u8>([
  0, 0, 0, 0, 4, 4, 4, 4, 8, 8, 8, 8, 12, 12, 12, 12,
  2, 2, 2, 2, 6, 6, 6, 6, 10, 10, 10, 10, 14, 14, 14, 14,
  1, 1, 1, 1, 5, 5, 5, 5, 9, 9, 9, 9, 13, 13, 13, 13,
  3, 3, 3, 3, 7, 7, 7, 7, 11, 11, 11, 11, 15, 15, 15, 15,
], 16);
const OWN = memory.data<u8>([1, 2, 4, 8, 1, 2, 4, 8, 1, 2, 4, 8, 1, 2, 4, 8], 16);
const OWN_OF_SECOND = memory.data<u8>([16, 32, 64, 128, 16, 32, 64, 128, 16, 32, 64, 128, 16, 32, 64, 128], 16);

/** sum + Σ q · x of four rows. */
@inline
export function fiveBitSums(qh: usize, qs: usize, x: usize, sum: v128): v128 {
  const nibbles = v128.load(NIBBLES), bits = v128.load(qh), own = v128.load(OWN), second = v128.load(OWN_OF_SECOND);
  let copies = COPIES, low = sum, high = i32x4.splat(0);
  for (const end = qs + 128; qs < end; qs += 64) {
    const below = lookUp(bits, v128.load(copies)), above = lookUp(bits, v128.load(copies, 16));
    let packed = v128.load(qs);
    low = addQuad(low, v128.or(v128.and(packed, nibbles), fifthBits(below, own)), x);
    high = addQuad(high, v128.or(v128.and(i16x8.shr_u(packed, 4), nibbles), fifthBits(above, own)), x + 4 * QUAD);
    packed = v128.load(qs, 32);
    low = addQuad(low, v128.or(v128.and(packed, nibbles), fifthBits(below, second)), x + QUAD);
    high = addQuad(high, v128.or(v128.and(i16x8.shr_u(packed, 4), nibbles), fifthBits(above, second)), x + 5 * QUAD);
    copies += 32;
    x += 2 * QUAD;
  }
  return i32x4.add(low, high);
}

/** Eight rows as words of a panel. */
@inline
export function unpackFiveBits(qh: usize, panel: usize): void {
  const nibbles = v128.load(NIBBLES), own = v128.load(OWN), second = v128.load(OWN_OF_SECOND);
  for (const end = qh + 32; qh < end; qh += 16) {
    const bits = v128.load(qh);
    let copies = COPIES;
    for (let quad: usize = 0; quad < 128; quad += 64) {
      const below = lookUp(bits, v128.load(copies)), above = lookUp(bits, v128.load(copies, 16));
      let packed = v128.load(qh + quad, 32);
      v128.store(panel + quad, v128.or(v128.and(packed, nibbles), fifthBits(below, own)));
      v128.store(panel + quad, v128.or(v128.and(i16x8.shr_u(packed, 4), nibbles), fifthBits(above, own)), 4 * WORD);
      packed = v128.load(qh + quad, 64);
      v128.store(panel + quad, v128.or(v128.and(packed, nibbles), fifthBits(below, second)), WORD);
      v128.store(panel + quad, v128.or(v128.and(i16x8.shr_u(packed, 4), nibbles), fifthBits(above, second)), 5 * WORD);
      copies += 32;
    }
    panel += 16;
  }
}

/** Copies of fifth bits → bytes of 0 or 16. */
@inline
function fifthBits(copies: v128, own: v128): v128 {
  return v128.and(i8x16.eq(v128.and(copies, own), own), v128.load(FIFTH));
}
