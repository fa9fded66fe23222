// Q4_0 (layout.ts), eight rows side by side (activations/rows8.wasm.ts), against activations in 8 bits: d · Σ (q − 8) · x.
import { NIBBLES } from '../activations/constants.wasm';
import { QUAD, nibbleSums } from '../activations/products.wasm';
import { stepsOf, sums32Of, unsignedOperand } from '../activations/row.wasm';
import { WORD, addBlock, loadHalves, storeQuad } from '../activations/rows8.wasm';

/** d; qs. */
export const PARTS_Q4_0 = memory.data<u8>([1, 2, 1, 0, 4, 4, 1, 2, 0]);
const GROUP: usize = 8 * 18;

/** A row of groups against one token: eight floats at `y`. */
export function dotQ4_0(w: usize, blocks: usize, row: usize, y: usize, scratch: usize): void {
  const cols = blocks * 32, parts = scratch + 32;
  let x = unsignedOperand(row, cols, 32), steps = stepsOf(row, cols), sums = sums32Of(row, cols, 32);
  let total0 = f32x4.splat(0), total1 = total0;
  for (const end = w + GROUP * blocks; w < end; w += GROUP) {
    loadHalves(w, scratch);
    nibbleSums(w + 16, 4, x, parts);
    const middle = i32x4.splat(<i32>load<i16>(sums) * -8), step = v128.load32_splat(steps);
    const sum0 = i32x4.add(middle, i32x4.add(v128.load(parts), v128.load(parts, 32)));
    const sum1 = i32x4.add(middle, i32x4.add(v128.load(parts, 16), v128.load(parts, 48)));
    total0 = addBlock(total0, step, v128.load(scratch), sum0);
    total1 = addBlock(total1, step, v128.load(scratch, 16), sum1);
    x += 8 * QUAD;
    steps += 4;
    sums += 2;
  }
  v128.store(y, total0);
  v128.store(y, total1, 16);
}

/** One group as a panel. */
export function unpackQ4_0(group: usize, panel: usize, scratch: usize): void {
  unpackNibbles(group + 16, panel, i16x8.splat(8));
  loadHalves(group, panel + 17 * WORD);
}

/** Four groups of quads whose low nibbles are weights 0–15, high ones 16–31. */
@inline
export function unpackNibbles(qs: usize, panel: usize, middle: v128): void {
  const nibbles = v128.load(NIBBLES), one = i16x8.splat(1);
  for (const end = qs + 128; qs < end; qs += 32) {
    let quad = v128.load(qs);
    storeQuad(panel, v128.and(quad, nibbles), middle, one);
    storeQuad(panel + 8 * WORD, v128.and(i16x8.shr_u(quad, 4), nibbles), middle, one);
    quad = v128.load(qs, 16);
    storeQuad(panel + 16, v128.and(quad, nibbles), middle, one);
    storeQuad(panel + 8 * WORD + 16, v128.and(i16x8.shr_u(quad, 4), nibbles), middle, one);
    panel += 2 * WORD;
  }
}
