// Q6_K (layout.ts), eight rows side by side (activations/rows8.wasm.ts), against activations in 8 bits:
// d · Σ sc · (q − 32) · x.
import { FIFTH_SIXTH, NIBBLES } from '../activations/constants.wasm';
import { WORD, storeScales, storeUnits } from '../activations/panel.wasm';
import { QUAD, addQuad } from '../activations/products.wasm';
import { stepsOf, sumsOf, unsignedOperand } from '../activations/row.wasm';
import { addBlock, loadHalves } from '../activations/rows8.wasm';

/** d; scales; of each half and quad the two ql and the qh. */
export const PARTS_Q6_K = memory.data<u8>([
  1, 2, 1, 208, 16, 1, 1, 192, 8, 4, 3, 0, 32, 128, 8, 4, 3, 64, 96, 160, 0,
]);
const GROUP: usize = 8 * 210;
const SCALES: usize = 16;
const CODES: usize = 144;
const QUAD_BYTES: usize = 96;
/** Of quads: a quarter of the half block, 32 weights. */
const NEXT: usize = 8 * QUAD;

/** A row of groups against one token: eight floats at `y`. */
export function dotQ6_K(w: usize, blocks: usize, row: usize, y: usize, scratch: usize): void {
  const cols = blocks * 256;
  let x = unsignedOperand(row, cols, 256), steps = stepsOf(row, cols), sums = sumsOf(row, cols, 256);
  let total0 = f32x4.splat(0), total1 = total0;
  for (const end = w + GROUP * blocks; w < end; w += GROUP) {
    loadHalves(w, scratch);
    v128.store(scratch, i32x4.splat(0), 32);
    v128.store(scratch, i32x4.splat(0), 48);
    for (let half: usize = 0; half < 2; half++) {
      for (let part: usize = 0; part < 2; part++) {
        const codes = w + CODES + QUAD_BYTES * (8 * half + 4 * part);
        const scales = w + SCALES + 64 * half + 8 * part, place = sums + 16 * half + 2 * part;
        addSixteen(codes, scales, x, place, scratch + 32);
        addSixteen(codes + 16, scales + 4, x, place, scratch + 48);
        x += 4 * QUAD;
      }
      x += 3 * NEXT;
    }
    const step = v128.load32_splat(steps);
    total0 = addBlock(total0, step, v128.load(scratch), v128.load(scratch, 32));
    total1 = addBlock(total1, step, v128.load(scratch, 16), v128.load(scratch, 48));
    steps += 4;
    sums += 32;
  }
  v128.store(y, total0);
  v128.store(y, total1, 16);
}

/** Four times sixteen weights of four rows, 32 apart; adds to the sum at `to`. */
@inline
function addSixteen(codes: usize, scales: usize, x: usize, sums: usize, to: usize): void {
  const nibbles = v128.load(NIBBLES), upper = v128.load(FIFTH_SIXTH);
  let a = minus32(sums), b = minus32(sums + 4), c = minus32(sums + 8), d = minus32(sums + 12);
  for (const end = codes + 4 * QUAD_BYTES; codes < end; codes += QUAD_BYTES) {
    const first = v128.load(codes), second = v128.load(codes, 32), bits = v128.load(codes, 64);
    a = addQuad(a, firstCodes(first, i16x8.shl(bits, 4), nibbles, upper), x);
    b = addQuad(b, firstCodes(second, i16x8.shl(bits, 2), nibbles, upper), x + NEXT);
    c = addQuad(c, lastCodes(first, bits, nibbles, upper), x + 2 * NEXT);
    d = addQuad(d, lastCodes(second, i16x8.shr_u(bits, 2), nibbles, upper), x + 3 * NEXT);
    x += QUAD;
  }
  a = i32x4.add(i32x4.mul(a, scales4(scales)), i32x4.mul(b, scales4(scales + 16)));
  c = i32x4.add(i32x4.mul(c, scales4(scales + 32)), i32x4.mul(d, scales4(scales + 48)));
  v128.store(to, i32x4.add(v128.load(to), i32x4.add(a, c)));
}

/** −32 · Σ x of 16 activations. */
@inline
function minus32(sums: usize): v128 {
  return i32x4.splat(<i32>load<i16>(sums) * -32);
}

/** The signed scales of four rows. */
@inline
function scales4(at: usize): v128 {
  return i32x4.extend_low_i16x8_s(i16x8.extend_low_i8x16_s(v128.load32_zero(at)));
}

/** One group as a block of a panel: q, sc, d. */
export function unpackQ6_K(group: usize, panel: usize, scratch: usize): void {
  const nibbles = v128.load(NIBBLES), upper = v128.load(FIFTH_SIXTH);
  let codes = group + CODES;
  for (let half: usize = 0; half < 2; half++) {
    for (let quad: usize = 0; quad < 8; quad++) {
      const to = panel + WORD * (32 * half + quad);
      for (let rows: usize = 0; rows < 32; rows += 16) {
        const first = v128.load(codes + rows), second = v128.load(codes + rows, 32), bits = v128.load(codes + rows, 64);
        v128.store(to + rows, firstCodes(first, i16x8.shl(bits, 4), nibbles, upper));
        v128.store(to + rows, firstCodes(second, i16x8.shl(bits, 2), nibbles, upper), 8 * WORD);
        v128.store(to + rows, lastCodes(first, bits, nibbles, upper), 16 * WORD);
        v128.store(to + rows, lastCodes(second, i16x8.shr_u(bits, 2), nibbles, upper), 24 * WORD);
      }
      codes += QUAD_BYTES;
    }
  }
  storeScales(group + SCALES, 16, true, panel);
  storeUnits(panel, 256, group);
}

/** Codes whose lower bits are the low nibbles of `packed`; `bits` has the upper two in place. */
@inline
function firstCodes(packed: v128, bits: v128, nibbles: v128, upper: v128): v128 {
  return v128.or(v128.and(packed, nibbles), v128.and(bits, upper));
}

/** The same for the high nibbles. */
@inline
function lastCodes(packed: v128, bits: v128, nibbles: v128, upper: v128): v128 {
  return v128.or(v128.and(i16x8.shr_u(packed, 4), nibbles), v128.and(bits, upper));
}
