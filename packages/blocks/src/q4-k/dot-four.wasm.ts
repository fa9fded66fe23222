// Q4_K, eight rows side by side, against four tokens at a time, where SIMD is relaxed: a code is taken out of its nibble once for all
// four, and one instruction multiplies sixteen pairs of bytes. The same exact integers as `dotQ4_K`, and the same floats in its order.
import { NIBBLES } from '../activations/constants.wasm';
import { addFourBlocks, addScaled, clearFour } from '../activations/four-tokens.wasm';
import { stepsOf, sums32Of, unsignedOperand } from '../activations/row.wasm';
import { storePairs } from '../activations/rows8.wasm';
import { scales4 } from '../q2-k/dot.wasm';
import { loadUnits, unpackScales } from './dot.wasm';

const GROUP: usize = 8 * 144;
const SCALES: usize = 32;
const QS: usize = 128;

// Scratch: scales and minima [8][row], bytes; d and dmin; minima as words; Σ sc · q · x [token][row].
const UNITS: usize = 128;
const MINS: usize = 192;
const SUMS: usize = 320;

/** A row of groups against four tokens, whose rows of activations `list` names: eight floats of each at `y`. */
export function dotFourQ4_K(w: usize, blocks: usize, list: usize, y: usize, scratch: usize): void {
  const cols = blocks * 256, units = scratch + UNITS, mins = scratch + MINS, sums = scratch + SUMS;
  let steps = stepsOf(0, cols), sums32 = sums32Of(0, cols, 256), x = unsignedOperand(0, cols, 256);
  clearFour(y);
  for (const end = w + GROUP * blocks; w < end; w += GROUP) {
    unpackScales(w + SCALES, scratch);
    loadUnits(w, units);
    storePairs(scratch + 64, 8, false, mins);
    clearFour(sums);
    let scales = scratch;
    for (let qs = w + QS; qs < w + GROUP; qs += 256) {
      addNibbles(qs, scales, list, x, sums);
      addNibbles(qs + 16, scales + 4, list, x, sums + 16);
      scales += 16;
      x += 64;
    }
    addFourBlocks(y, list, steps, units, sums, mins, 8, sums32, 0);
    steps += 4;
    sums32 += 16;
  }
}

/** Two sub-blocks of four rows, in the low and the high nibbles of every second 16 bytes at `qs`; adds to four sums 32 bytes apart. */
@inline
function addNibbles(qs: usize, scales: usize, list: usize, x: usize, sums: usize): void {
  const nibbles = v128.load(NIBBLES), none = i32x4.splat(0);
  let x0 = <usize>load<u32>(list) + x, x1 = <usize>load<u32>(list, 8) + x;
  let x2 = <usize>load<u32>(list, 16) + x, x3 = <usize>load<u32>(list, 24) + x;
  let a0 = none, a1 = none, a2 = none, a3 = none, b0 = none, b1 = none, b2 = none, b3 = none;
  for (const end = qs + 256; qs < end; qs += 32) {
    const packed = v128.load(qs), low = v128.and(packed, nibbles), high = v128.and(i16x8.shr_u(packed, 4), nibbles);
    a0 = i32x4.relaxed_dot_i8x16_i7x16_add_s(v128.load32_splat(x0), low, a0);
    b0 = i32x4.relaxed_dot_i8x16_i7x16_add_s(v128.load32_splat(x0, 32), high, b0);
    a1 = i32x4.relaxed_dot_i8x16_i7x16_add_s(v128.load32_splat(x1), low, a1);
    b1 = i32x4.relaxed_dot_i8x16_i7x16_add_s(v128.load32_splat(x1, 32), high, b1);
    a2 = i32x4.relaxed_dot_i8x16_i7x16_add_s(v128.load32_splat(x2), low, a2);
    b2 = i32x4.relaxed_dot_i8x16_i7x16_add_s(v128.load32_splat(x2, 32), high, b2);
    a3 = i32x4.relaxed_dot_i8x16_i7x16_add_s(v128.load32_splat(x3), low, a3);
    b3 = i32x4.relaxed_dot_i8x16_i7x16_add_s(v128.load32_splat(x3, 32), high, b3);
    x0 += 4; x1 += 4; x2 += 4; x3 += 4;
  }
  const first = scales4(scales), second = scales4(scales + 8);
  addScaled(sums, a0, first, b0, second);
  addScaled(sums + 32, a1, first, b1, second);
  addScaled(sums + 64, a2, first, b2, second);
  addScaled(sums + 96, a3, first, b3, second);
}
