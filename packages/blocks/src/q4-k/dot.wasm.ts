// Q4_K (layout.ts), eight rows side by side (activations/rows8.wasm.ts), against activations in 8 bits:
// d · Σ sc · q · x − dmin · Σ m · x.
import { NIBBLES, SIX_BITS, FIFTH_SIXTH } from '../activations/constants.wasm';
import { WORD, storeMinima, storeScales, unitsOf, unpackNibbles } from '../activations/panel.wasm';
import { QUAD, nibbleSums } from '../activations/products.wasm';
import { stepsOf, sums32Of, unsignedOperand } from '../activations/row.wasm';
import { addBlockWithMin, addScaledHigh, addScaledLow, loadHalves } from '../activations/rows8.wasm';

/** d, dmin; scales; qs. */
export const PARTS_Q4_K = memory.data<u8>([2, 2, 1, 0, 12, 1, 1, 4, 32, 4, 1, 16, 0]);
const GROUP: usize = 8 * 144;
const SCALES: usize = 32;
const QS: usize = 128;

/** A row of groups against one token: eight floats at `y`. */
export function dotQ4_K(w: usize, blocks: usize, row: usize, y: usize, scratch: usize): void {
  const cols = blocks * 256;
  let x = unsignedOperand(row, cols, 256), steps = stepsOf(row, cols), sums = sums32Of(row, cols, 256);
  const units = scratch + 128, parts = scratch + 192;
  let total0 = f32x4.splat(0), total1 = total0;
  for (const end = w + GROUP * blocks; w < end; w += GROUP) {
    unpackScales(w + SCALES, scratch);
    loadUnits(w, units);
    let sum0 = i32x4.splat(0), sum1 = sum0, scales = scratch;
    for (let qs = w + QS; qs < w + GROUP; qs += 256) {
      nibbleSums(qs, 8, x, parts);
      const low = v128.load8x8_u(scales), high = v128.load8x8_u(scales, 8);
      sum0 = addScaledLow(addScaledLow(sum0, low, v128.load(parts)), high, v128.load(parts, 32));
      sum1 = addScaledHigh(addScaledHigh(sum1, low, v128.load(parts, 16)), high, v128.load(parts, 48));
      scales += 16;
      x += 16 * QUAD;
    }
    addMins(scratch + 64, 8, sums, parts);
    const step = v128.load32_splat(steps);
    total0 = addBlockWithMin(total0, step, v128.load(units), sum0, v128.load(units, 32), v128.load(parts));
    total1 = addBlockWithMin(total1, step, v128.load(units, 16), sum1, v128.load(units, 48), v128.load(parts, 16));
    steps += 4;
    sums += 16;
  }
  v128.store(y, total0);
  v128.store(y, total1, 16);
}

/** One group as a block of a panel: q, sc, m, d and dmin. */
export function unpackQ4_K(group: usize, panel: usize, scratch: usize): void {
  for (let pair: usize = 0; pair < 4; pair++) unpackNibbles(group + QS + 256 * pair, 8, panel + 16 * WORD * pair);
  storeSixBits(group, panel, scratch);
}

/** Scales, minima and units of Q4_K and Q5_K. */
@inline
export function storeSixBits(group: usize, panel: usize, scratch: usize): void {
  unpackScales(group + SCALES, scratch);
  storeScales(scratch, 8, false, panel);
  storeMinima(scratch + 64, 8, panel);
  loadUnits(group, unitsOf(panel, 256));
}

/** Σ m · x of eight rows, two vectors at `to`; each of `count` minima meets a sum of activations. */
@inline
export function addMins(mins: usize, count: usize, sums: usize, to: usize): void {
  let below0 = i32x4.splat(0), below1 = below0;
  for (const end = mins + 8 * count; mins < end; mins += 16) {
    const even = v128.load8x8_u(mins), odd = v128.load8x8_u(mins, 8), pair = v128.load32_splat(sums);
    const low = v128.shuffle<u16>(even, odd, 0, 8, 1, 9, 2, 10, 3, 11);
    const high = v128.shuffle<u16>(even, odd, 4, 12, 5, 13, 6, 14, 7, 15);
    below0 = i32x4.add(below0, i32x4.dot_i16x8_s(low, pair));
    below1 = i32x4.add(below1, i32x4.dot_i16x8_s(high, pair));
    sums += 4;
  }
  v128.store(to, below0);
  v128.store(to, below1, 16);
}

/** d and dmin of eight rows, 16 floats. */
@inline
export function loadUnits(group: usize, to: usize): void {
  loadHalves(group, to);
  loadHalves(group + 16, to + 32);
}

/** The packed 6-bit numbers of eight rows → scales [8][row], then minima [8][row], bytes. */
@inline
export function unpackScales(packed: usize, to: usize): void {
  const six = v128.load(SIX_BITS), nibbles = v128.load(NIBBLES), upper = v128.load(FIFTH_SIXTH);
  for (const end = to + 32; to < end; to += 16) {
    const scales = v128.load(packed), mins = v128.load(packed, 32), last = v128.load(packed, 64);
    v128.store(to, v128.and(scales, six));
    v128.store(to, v128.or(v128.and(last, nibbles), v128.and(i16x8.shr_u(scales, 2), upper)), 32);
    v128.store(to, v128.and(mins, six), 64);
    const high = v128.and(i16x8.shr_u(last, 4), nibbles);
    v128.store(to, v128.or(high, v128.and(i16x8.shr_u(mins, 2), upper)), 96);
    packed += 16;
  }
}
