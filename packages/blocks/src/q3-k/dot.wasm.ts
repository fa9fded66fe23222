// Q3_K (layout.ts), eight rows side by side (activations/rows8.wasm.ts), against activations in 8 bits:
// d · Σ (sc − 32) · (q − 4) · x.
import { NIBBLES, TWO_BITS } from '../activations/constants.wasm';
import { WORD, storeScales, storeUnits } from '../activations/panel.wasm';
import { QUAD, addQuad } from '../activations/products.wasm';
import { stepsOf, sumsOf, unsignedOperand } from '../activations/row.wasm';
import { addBlock, loadHalves } from '../activations/rows8.wasm';

/** d; scales; hmask; qs. */
export const PARTS_Q3_K = memory.data<u8>([1, 2, 1, 108, 12, 1, 1, 96, 8, 4, 1, 0, 16, 4, 1, 32, 0]);
const GROUP: usize = 8 * 110;
const SCALES: usize = 16;
const HMASK: usize = 112;
const QS: usize = 368;
const THIRD_BIT = memory.data<u8>([4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4], 16);
const MIDDLE = memory.data<i8>([32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32], 16);

/** A row of groups against one token: eight floats at `y`. Scratch: scales [16][row], bytes; d. */
export function dotQ3_K(w: usize, blocks: usize, row: usize, y: usize, scratch: usize): void {
  const cols = blocks * 256;
  let x = unsignedOperand(row, cols, 256), steps = stepsOf(row, cols), sums = sumsOf(row, cols, 256);
  let total0 = f32x4.splat(0), total1 = total0;
  for (const end = w + GROUP * blocks; w < end; w += GROUP) {
    unpackScales(w + SCALES, scratch);
    loadHalves(w, scratch + 128);
    let sum0 = i32x4.splat(0), sum1 = sum0;
    for (let sixteen: usize = 0; sixteen < 4; sixteen++) {
      const half = sixteen >> 1, part = sixteen & 1;
      const qs = w + QS + 128 * sixteen, hmask = w + HMASK + 128 * part, scales = scratch + 64 * half + 8 * part;
      const at = x + (128 * half + 16 * part) * (QUAD / 4), place = sums + 16 * half + 2 * part;
      sum0 = i32x4.add(sum0, sixteens(qs, hmask, 4 * <i32>half, at, place, scales));
      sum1 = i32x4.add(sum1, sixteens(qs + 16, hmask + 16, 4 * <i32>half, at, place, scales + 4));
    }
    const step = v128.load32_splat(steps);
    total0 = addBlock(total0, step, v128.load(scratch, 128), sum0);
    total1 = addBlock(total1, step, v128.load(scratch, 144), sum1);
    x += 64 * QUAD;
    steps += 4;
    sums += 32;
  }
  v128.store(y, total0);
  v128.store(y, total1, 16);
}

/** Four times sixteen weights of four rows, 32 apart, whose third bits begin at bit `shift` of hmask. */
@inline
function sixteens(qs: usize, hmask: usize, shift: i32, x: usize, sums: usize, scales: usize): v128 {
  const two = v128.load(TWO_BITS), third = v128.load(THIRD_BIT);
  let a = minus4(sums), b = minus4(sums + 4), c = minus4(sums + 8), d = minus4(sums + 12);
  for (const end = qs + 128; qs < end; qs += 32) {
    const packed = v128.load(qs), bits = i16x8.shr_u(v128.load(hmask), shift);
    a = addQuad(a, codes(packed, i16x8.shl(bits, 2), two, third), x);
    b = addQuad(b, codes(i16x8.shr_u(packed, 2), i16x8.shl(bits, 1), two, third), x + 8 * QUAD);
    c = addQuad(c, codes(i16x8.shr_u(packed, 4), bits, two, third), x + 16 * QUAD);
    d = addQuad(d, codes(i16x8.shr_u(packed, 6), i16x8.shr_u(bits, 1), two, third), x + 24 * QUAD);
    hmask += 32;
    x += QUAD;
  }
  return i32x4.add(
    i32x4.add(i32x4.mul(a, scales4(scales)), i32x4.mul(b, scales4(scales + 16))),
    i32x4.add(i32x4.mul(c, scales4(scales + 32)), i32x4.mul(d, scales4(scales + 48))),
  );
}

/** Two bits, and a third one that is in place. */
@inline
function codes(low: v128, high: v128, two: v128, third: v128): v128 {
  return v128.or(v128.and(low, two), v128.and(high, third));
}

/** −4 · Σ x of 16 activations. */
@inline
function minus4(sums: usize): v128 {
  return i32x4.splat(<i32>load<i16>(sums) * -4);
}

/** The signed scales of four rows. */
@inline
function scales4(at: usize): v128 {
  return i32x4.extend_low_i16x8_s(i16x8.extend_low_i8x16_s(v128.load32_zero(at)));
}

/** One group as a block of a panel: q, sc − 32, d. */
export function unpackQ3_K(group: usize, panel: usize, scratch: usize): void {
  const two = v128.load(TWO_BITS), third = v128.load(THIRD_BIT);
  for (let half: usize = 0; half < 2; half++) {
    for (let at: usize = 0; at < 256; at += 16) {
      const packed = v128.load(group + 256 * half + at, QS), to = panel + 32 * WORD * half + at;
      const bits = i16x8.shr_u(v128.load(group + at, HMASK), 4 * <i32>half);
      v128.store(to, codes(packed, i16x8.shl(bits, 2), two, third));
      v128.store(to, codes(i16x8.shr_u(packed, 2), i16x8.shl(bits, 1), two, third), 8 * WORD);
      v128.store(to, codes(i16x8.shr_u(packed, 4), bits, two, third), 16 * WORD);
      v128.store(to, codes(i16x8.shr_u(packed, 6), i16x8.shr_u(bits, 1), two, third), 24 * WORD);
    }
  }
  unpackScales(group + SCALES, scratch);
  storeScales(scratch, 16, true, panel);
  storeUnits(panel, 256, group);
}

/** The packed 6-bit scales of eight rows → sc − 32, [16][row] signed bytes. */
@inline
function unpackScales(packed: usize, to: usize): void {
  const nibbles = v128.load(NIBBLES), two = v128.load(TWO_BITS), middle = v128.load(MIDDLE);
  for (let j: usize = 0; j < 16; j += 2) {
    const low = v128.and(i16x8.shr_u(v128.load(packed + 8 * (j & 7)), 4 * <i32>(j >> 3)), nibbles);
    const high = v128.and(i16x8.shr_u(v128.load(packed + 8 * (j & 3), 64), 2 * <i32>(j >> 2)), two);
    v128.store(to + 8 * j, i8x16.sub(v128.or(low, i16x8.shl(high, 4)), middle));
  }
}
