// Codes of four bits that are numbers of a table of signed bytes (IQ4_NL, IQ4_XS, MXFP4), eight rows side by side
// (activations/rows8.wasm.ts): 32 weights, four quads of every row 32 bytes apart, low nibbles first.
import { NIBBLES } from '../activations/constants.wasm';
import { WORD } from '../activations/panel.wasm';
import { SIGNED_QUAD, addFirst, addSecond, lookUp, signedTotal } from '../activations/products.wasm';

/** Σ VALUES[q] · x of four rows. */
@inline
export function lookedUpSums(values: v128, qs: usize, x: usize): v128 {
  const nibbles = v128.load(NIBBLES);
  let first = i32x4.splat(0), second = first;
  for (const end = qs + 128; qs < end; qs += 32) {
    const packed = v128.load(qs);
    const low = lookUp(values, v128.and(packed, nibbles));
    const high = lookUp(values, v128.and(i16x8.shr_u(packed, 4), nibbles));
    first = addFirst(addFirst(first, low, x), high, x + 4 * SIGNED_QUAD);
    second = addSecond(addSecond(second, low, x), high, x + 4 * SIGNED_QUAD);
    x += SIGNED_QUAD;
  }
  return signedTotal(first, second);
}

/** Eight rows as words of a panel; `values` are those of the table and the type's middle. */
@inline
export function unpackLookedUp(values: v128, qs: usize, panel: usize): void {
  const nibbles = v128.load(NIBBLES);
  for (const end = qs + 128; qs < end; qs += 16) {
    const packed = v128.load(qs);
    v128.store(panel, lookUp(values, v128.and(packed, nibbles)));
    v128.store(panel, lookUp(values, v128.and(i16x8.shr_u(packed, 4), nibbles)), 4 * WORD);
    panel += 16;
  }
}
