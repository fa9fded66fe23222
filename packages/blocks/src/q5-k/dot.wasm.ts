// Q5_K (layout.ts), eight rows side by side (activations/rows8.wasm.ts), against activations in 8 bits:
// d · Σ sc · q · x − dmin · Σ m · x.
import { FIFTH, NIBBLES } from '../activations/constants.wasm';
import { WORD } from '../activations/panel.wasm';
import { QUAD, addQuad } from '../activations/products.wasm';
import { stepsOf, sums32Of, unsignedOperand } from '../activations/row.wasm';
import { addBlockWithMin, addScaledHigh, addScaledLow } from '../activations/rows8.wasm';
import { addMins, loadUnits, storeSixBits, unpackScales } from '../q4-k/dot.wasm';

/** d, dmin; scales; qh; qs. */
export const PARTS_Q5_K = memory.data<u8>([2, 2, 1, 0, 12, 1, 1, 4, 40, 4, 1, 16, 0]);
const GROUP: usize = 8 * 176;
const SCALES: usize = 32;
const QH: usize = 128;
const QS: usize = 384;

/** A row of groups against one token: eight floats at `y`. */
export function dotQ5_K(w: usize, blocks: usize, row: usize, y: usize, scratch: usize): void {
  const cols = blocks * 256;
  let x = unsignedOperand(row, cols, 256), steps = stepsOf(row, cols), sums = sums32Of(row, cols, 256);
  const units = scratch + 128;
  let total0 = f32x4.splat(0), total1 = total0;
  for (const end = w + GROUP * blocks; w < end; w += GROUP) {
    unpackScales(w + SCALES, scratch);
    loadUnits(w, units);
    let sum0 = i32x4.splat(0), sum1 = sum0, scales = scratch;
    for (let pair: usize = 0; pair < 4; pair++) {
      const nibbles = v128.load(NIBBLES), fifth = v128.load(FIFTH);
      let low0 = i32x4.splat(0), low1 = low0, high0 = low0, high1 = low0;
      let qs = w + QS + 256 * pair;
      for (let qh = w + QH; qh < w + QS; qh += 32) {
        let packed = v128.load(qs), bits = i16x8.shr_u(v128.load(qh), 2 * <i32>pair);
        low0 = addQuad(low0, lowCodes(packed, bits, nibbles, fifth), x);
        high0 = addQuad(high0, highCodes(packed, bits, nibbles, fifth), x + 8 * QUAD);
        packed = v128.load(qs, 16);
        bits = i16x8.shr_u(v128.load(qh, 16), 2 * <i32>pair);
        low1 = addQuad(low1, lowCodes(packed, bits, nibbles, fifth), x);
        high1 = addQuad(high1, highCodes(packed, bits, nibbles, fifth), x + 8 * QUAD);
        qs += 32;
        x += QUAD;
      }
      const low = v128.load8x8_u(scales), high = v128.load8x8_u(scales, 8);
      sum0 = addScaledLow(addScaledLow(sum0, low, low0), high, high0);
      sum1 = addScaledHigh(addScaledHigh(sum1, low, low1), high, high1);
      scales += 16;
      x += 8 * QUAD;
    }
    addMins(scratch + 64, 8, sums, scratch + 192);
    const step = v128.load32_splat(steps);
    total0 = addBlockWithMin(total0, step, v128.load(units), sum0, v128.load(units, 32), v128.load(scratch, 192));
    total1 = addBlockWithMin(total1, step, v128.load(units, 16), sum1, v128.load(units, 48), v128.load(scratch, 208));
    steps += 4;
    sums += 16;
  }
  v128.store(y, total0);
  v128.store(y, total1, 16);
}

/** One group as a block of a panel: q, sc, m, d and dmin. */
export function unpackQ5_K(group: usize, panel: usize, scratch: usize): void {
  const nibbles = v128.load(NIBBLES), fifth = v128.load(FIFTH);
  for (let pair: usize = 0; pair < 4; pair++) {
    for (let at: usize = 0; at < 256; at += 16) {
      const packed = v128.load(group + 256 * pair + at, QS), to = panel + 16 * WORD * pair + at;
      const bits = i16x8.shr_u(v128.load(group + at, QH), 2 * <i32>pair);
      v128.store(to, lowCodes(packed, bits, nibbles, fifth));
      v128.store(to, highCodes(packed, bits, nibbles, fifth), 8 * WORD);
    }
  }
  storeSixBits(group, panel, scratch);
}

/** Codes of the even sub-block; their fifth bits are the lowest of each byte of `bits`. */
@inline
function lowCodes(packed: v128, bits: v128, nibbles: v128, fifth: v128): v128 {
  return v128.or(v128.and(packed, nibbles), v128.and(i16x8.shl(bits, 4), fifth));
}

/** Codes of the odd sub-block; their fifth bits are the next ones. */
@inline
function highCodes(packed: v128, bits: v128, nibbles: v128, fifth: v128): v128 {
  return v128.or(v128.and(i16x8.shr_u(packed, 4), nibbles), v128.and(i16x8.shl(bits, 3), fifth));
}
