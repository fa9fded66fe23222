// Codes of two bits as Q2_K and TQ2_0 pack them (layout.ts), eight rows side by side (activations/rows8.wasm.ts): a byte
// holds codes of weights 32 apart.
import { TWO_BITS } from '../activations/constants.wasm';
import { WORD } from '../activations/panel.wasm';
import { QUAD, addQuad } from '../activations/products.wasm';

const SECOND = memory.data<u8>([12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12], 16);
const THIRD = memory.data<u8>([48, 48, 48, 48, 48, 48, 48, 48, 48, 48, 48, 48, 48, 48, 48, 48], 16);

/**
 * Σ q · x of four rows and four times 16 weights, 32 apart: four quads 32 bytes apart; four vectors at `out`. Codes are
 * multiplied where they lie in their bytes, the second ones 4 and the third ones 16 times as large.
 */
@inline
export function twoBitSums(qs: usize, x: usize, out: usize): void {
  const first = v128.load(TWO_BITS), second = v128.load(SECOND), third = v128.load(THIRD);
  let a = i32x4.splat(0), b = a, c = a, d = a;
  for (const end = qs + 128; qs < end; qs += 32) {
    const packed = v128.load(qs);
    a = addQuad(a, v128.and(packed, first), x);
    b = addQuad(b, v128.and(packed, second), x + 8 * QUAD);
    c = addQuad(c, v128.and(packed, third), x + 16 * QUAD);
    d = addQuad(d, v128.and(i16x8.shr_u(packed, 6), first), x + 24 * QUAD);
    x += QUAD;
  }
  v128.store(out, a); v128.store(out, i32x4.shr_s(b, 2), 16);
  v128.store(out, i32x4.shr_s(c, 4), 32); v128.store(out, d, 48);
}

/** The 256 codes of eight rows as words of a panel. */
@inline
export function unpackTwoBits(qs: usize, panel: usize): void {
  const two = v128.load(TWO_BITS);
  for (let half: usize = 0; half < 2; half++) {
    for (const end = qs + 256; qs < end; qs += 16) {
      const packed = v128.load(qs);
      v128.store(panel, v128.and(packed, two));
      v128.store(panel, v128.and(i16x8.shr_u(packed, 2), two), 8 * WORD);
      v128.store(panel, v128.and(i16x8.shr_u(packed, 4), two), 16 * WORD);
      v128.store(panel, v128.and(i16x8.shr_u(packed, 6), two), 24 * WORD);
      panel += 16;
    }
    panel += 24 * WORD;
  }
}
