// Q2_K (layout.ts), eight rows side by side (activations/rows8.wasm.ts), against activations in 8 bits:
// d · Σ sc · q · x − dmin · Σ m · x.
import { NIBBLES } from '../activations/constants.wasm';
import { storeMinima, storeScales, unitsOf } from '../activations/panel.wasm';
import { QUAD } from '../activations/products.wasm';
import { stepsOf, sumsOf, unsignedOperand } from '../activations/row.wasm';
import { addBlockWithMin } from '../activations/rows8.wasm';
import { addMins, loadUnits } from '../q4-k/dot.wasm';
import { twoBitSums, unpackTwoBits } from './two-bit-sums.wasm';

/** d, dmin; scales; qs. */
export const PARTS_Q2_K = memory.data<u8>([2, 2, 1, 80, 16, 1, 1, 0, 16, 4, 1, 16, 0]);
const GROUP: usize = 8 * 84;
const SCALES: usize = 32;
const QS: usize = 160;

// Scratch: scales and minima [16][row], bytes; d and dmin; sums.
const MINS: usize = 128;
const UNITS: usize = 256;
const SUMS: usize = 320;
const PARTS: usize = 352;

/** A row of groups against one token: eight floats at `y`. */
export function dotQ2_K(w: usize, blocks: usize, row: usize, y: usize, scratch: usize): void {
  const cols = blocks * 256, units = scratch + UNITS, parts = scratch + PARTS;
  let x = unsignedOperand(row, cols, 256), steps = stepsOf(row, cols), sums = sumsOf(row, cols, 256);
  let total0 = f32x4.splat(0), total1 = total0;
  for (const end = w + GROUP * blocks; w < end; w += GROUP) {
    unpackScales(w + SCALES, scratch);
    loadUnits(w, units);
    let sum0 = i32x4.splat(0), sum1 = sum0;
    for (let sixteen: usize = 0; sixteen < 4; sixteen++) {
      const qs = w + QS + 128 * sixteen, scales = scratch + 64 * (sixteen >> 1) + 8 * (sixteen & 1);
      const at = x + (128 * (sixteen >> 1) + 16 * (sixteen & 1)) * (QUAD / 4);
      twoBitSums(qs, at, parts);
      sum0 = i32x4.add(sum0, scaled(parts, scales));
      twoBitSums(qs + 16, at, parts);
      sum1 = i32x4.add(sum1, scaled(parts, scales + 4));
    }
    addMins(scratch + MINS, 16, sums, scratch + SUMS);
    const step = v128.load32_splat(steps), below = scratch + SUMS;
    total0 = addBlockWithMin(total0, step, v128.load(units), sum0, v128.load(units, 32), v128.load(below));
    total1 = addBlockWithMin(total1, step, v128.load(units, 16), sum1, v128.load(units, 48), v128.load(below, 16));
    x += 64 * QUAD;
    steps += 4;
    sums += 32;
  }
  v128.store(y, total0);
  v128.store(y, total1, 16);
}

/** Σ sc · sum over four sub-blocks, two apart. */
@inline
function scaled(parts: usize, scales: usize): v128 {
  return i32x4.add(
    i32x4.add(i32x4.mul(v128.load(parts), scales4(scales)), i32x4.mul(v128.load(parts, 16), scales4(scales + 16))),
    i32x4.add(i32x4.mul(v128.load(parts, 32), scales4(scales + 32)), i32x4.mul(v128.load(parts, 48), scales4(scales + 48))),
  );
}

/** The scales of four rows. */
@inline
function scales4(at: usize): v128 {
  return i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(at)));
}

/** One group as a block of a panel: q, sc, m, d and dmin. */
export function unpackQ2_K(group: usize, panel: usize, scratch: usize): void {
  unpackTwoBits(group + QS, panel);
  unpackScales(group + SCALES, scratch);
  storeScales(scratch, 16, false, panel);
  storeMinima(scratch + MINS, 16, panel);
  loadUnits(group, unitsOf(panel, 256));
}

/** The packed 4-bit numbers of eight rows → scales [16][row], then minima [16][row], bytes. */
@inline
function unpackScales(packed: usize, to: usize): void {
  const nibbles = v128.load(NIBBLES);
  for (const end = to + 128; to < end; to += 16) {
    const both = v128.load(packed);
    v128.store(to, v128.and(both, nibbles));
    v128.store(to, v128.and(i16x8.shr_u(both, 4), nibbles), MINS);
    packed += 16;
  }
}
