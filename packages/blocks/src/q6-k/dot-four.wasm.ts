// Q6_K, eight rows side by side, against four tokens at a time, where SIMD is relaxed (as q4-k/dot-four.wasm.ts): codes are taken
// together from their bits once for all four, unsigned; 32 · Σ sc · x goes off at the end of a block.
import { FIFTH_SIXTH, NIBBLES } from '../activations/constants.wasm';
import { addFourBlocks, addScaled, clearFour } from '../activations/four-tokens.wasm';
import { stepsOf, sumsOf, unsignedOperand } from '../activations/row.wasm';
import { loadHalves, storePairs } from '../activations/rows8.wasm';
import { firstCodes, lastCodes, scales4 } from './dot.wasm';

const GROUP: usize = 8 * 210;
const SCALES: usize = 16;
const CODES: usize = 144;
const QUAD_BYTES: usize = 96;

// Scratch: d; scales as words; Σ sc · q · x [token][row].
const WORDS: usize = 32;
const SUMS: usize = 288;

/** A row of groups against four tokens, whose rows of activations `list` names: eight floats of each at `y`. */
export function dotFourQ6_K(w: usize, blocks: usize, list: usize, y: usize, scratch: usize): void {
  const cols = blocks * 256, words = scratch + WORDS, sums = scratch + SUMS;
  let steps = stepsOf(0, cols), places = sumsOf(0, cols, 256), x = unsignedOperand(0, cols, 256);
  clearFour(y);
  for (const end = w + GROUP * blocks; w < end; w += GROUP) {
    loadHalves(w, scratch);
    storePairs(w + SCALES, 16, true, words);
    clearFour(sums);
    for (let half: usize = 0; half < 2; half++) {
      for (let part: usize = 0; part < 2; part++) {
        const codes = w + CODES + QUAD_BYTES * (8 * half + 4 * part), scales = w + SCALES + 64 * half + 8 * part;
        for (let rows: usize = 0; rows < 2; rows++) {
          const at = codes + 16 * rows, scale = scales + 4 * rows, to = sums + 16 * rows;
          addPair(at, 32, 4, 0, scale, list, x, to);
          addPair(at + 32, 0, 2, 2, scale + 16, list, x + 32, to);
        }
        x += 16;
      }
      x += 96;
    }
    addFourBlocks(y, list, steps, scratch, sums, words, 16, places, 32);
    steps += 4;
    places += 32;
  }
}

/**
 * Sixteen weights of four rows with low nibbles, and sixteen 64 later with high ones; their upper bits lie `toBits` + 32 bytes on, to be
 * moved up by `up` and down by `down`.
 */
@inline
function addPair(
  codes: usize,
  toBits: usize,
  up: i32,
  down: i32,
  scales: usize,
  list: usize,
  x: usize,
  sums: usize,
): void {
  const nibbles = v128.load(NIBBLES), upper = v128.load(FIFTH_SIXTH), none = i32x4.splat(0);
  let x0 = <usize>load<u32>(list) + x, x1 = <usize>load<u32>(list, 8) + x;
  let x2 = <usize>load<u32>(list, 16) + x, x3 = <usize>load<u32>(list, 24) + x;
  let a0 = none, a1 = none, a2 = none, a3 = none, b0 = none, b1 = none, b2 = none, b3 = none;
  for (const end = codes + 4 * QUAD_BYTES; codes < end; codes += QUAD_BYTES) {
    const packed = v128.load(codes), bits = v128.load(codes + toBits, 32);
    const low = firstCodes(packed, i16x8.shl(bits, up), nibbles, upper);
    const high = lastCodes(packed, i16x8.shr_u(bits, down), nibbles, upper);
    a0 = i32x4.relaxed_dot_i8x16_i7x16_add_s(v128.load32_splat(x0), low, a0);
    b0 = i32x4.relaxed_dot_i8x16_i7x16_add_s(v128.load32_splat(x0, 64), high, b0);
    a1 = i32x4.relaxed_dot_i8x16_i7x16_add_s(v128.load32_splat(x1), low, a1);
    b1 = i32x4.relaxed_dot_i8x16_i7x16_add_s(v128.load32_splat(x1, 64), high, b1);
    a2 = i32x4.relaxed_dot_i8x16_i7x16_add_s(v128.load32_splat(x2), low, a2);
    b2 = i32x4.relaxed_dot_i8x16_i7x16_add_s(v128.load32_splat(x2, 64), high, b2);
    a3 = i32x4.relaxed_dot_i8x16_i7x16_add_s(v128.load32_splat(x3), low, a3);
    b3 = i32x4.relaxed_dot_i8x16_i7x16_add_s(v128.load32_splat(x3, 64), high, b3);
    x0 += 4; x1 += 4; x2 += 4; x3 += 4;
  }
  const first = scales4(scales), second = scales4(scales + 32);
  addScaled(sums, a0, first, b0, second);
  addScaled(sums + 32, a1, first, b1, second);
  addScaled(sums + 64, a2, first, b2, second);
  addScaled(sums + 96, a3, first, b3, second);
}
