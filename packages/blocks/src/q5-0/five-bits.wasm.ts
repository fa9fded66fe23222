// Codes of five bits in Q5_0 and Q5_1, eight rows side by side (activations/rows8.wasm.ts): `qh` points at a word of fifth
// bits per row, `qs` at four quads of every row, 32 bytes apart.
import { NIBBLES } from '../activations/constants.wasm';
import { WORD } from '../activations/panel.wasm';
import { QUAD, addQuad } from '../activations/products.wasm';

const LAST_NIBBLE = memory.data<u32>([15, 15, 15, 15], 16);
/** Copies of a nibble 7 bits apart put its bits 0 … 3 where bytes have their lowest bit. */
const SPREAD = memory.data<u32>([0x00204081, 0x00204081, 0x00204081, 0x00204081], 16);
const LOWEST = memory.data<u32>([0x01010101, 0x01010101, 0x01010101, 0x01010101], 16);

/** sum + Σ q · x of four rows. */
@inline
export function fiveBitSums(qh: usize, qs: usize, x: usize, sum: v128): v128 {
  const nibbles = v128.load(NIBBLES);
  let bits = v128.load(qh), low = sum, high = i32x4.splat(0);
  for (const end = qs + 128; qs < end; qs += 32) {
    const packed = v128.load(qs);
    low = addQuad(low, v128.or(v128.and(packed, nibbles), fifthBits(bits)), x);
    const above = v128.or(v128.and(i16x8.shr_u(packed, 4), nibbles), fifthBits(i32x4.shr_u(bits, 16)));
    high = addQuad(high, above, x + 4 * QUAD);
    bits = i32x4.shr_u(bits, 4);
    x += QUAD;
  }
  return i32x4.add(low, high);
}

/** Eight rows as words of a panel. */
@inline
export function unpackFiveBits(qh: usize, panel: usize): void {
  const nibbles = v128.load(NIBBLES);
  for (let rows: usize = 0; rows < 32; rows += 16) {
    let bits = v128.load(qh + rows);
    for (let quad: usize = 0; quad < 4; quad++) {
      const packed = v128.load(qh + rows + 32 * quad, 32), to = panel + rows + WORD * quad;
      v128.store(to, v128.or(v128.and(packed, nibbles), fifthBits(bits)));
      const above = v128.and(i16x8.shr_u(packed, 4), nibbles);
      v128.store(to, v128.or(above, fifthBits(i32x4.shr_u(bits, 16))), 4 * WORD);
      bits = i32x4.shr_u(bits, 4);
    }
  }
}

/** The four lowest bits of each word → four bytes of 0 or 16. */
@inline
function fifthBits(words: v128): v128 {
  const copies = i32x4.mul(v128.and(words, v128.load(LAST_NIBBLE)), v128.load(SPREAD));
  return i16x8.shl(v128.and(copies, v128.load(LOWEST)), 4);
}
