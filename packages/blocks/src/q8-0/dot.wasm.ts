// Q8_0 (layout.ts), eight rows side by side (activations/rows8.wasm.ts), against activations in 8 bits: d · Σ q · x.
import { SIGNS } from '../activations/constants.wasm';
import { WORD, storeUnits } from '../activations/panel.wasm';
import { SIGNED_QUAD, addFirst, addSecond, signedTotal } from '../activations/products.wasm';
import { signedOperand, stepsOf } from '../activations/row.wasm';
import { addBlock, loadHalves } from '../activations/rows8.wasm';

/** d; qs. */
export const PARTS_Q8_0 = memory.data<u8>([1, 2, 1, 0, 8, 4, 1, 2, 0]);
const GROUP: usize = 8 * 34;

/** A row of groups against one token: eight floats at `y`. */
export function dotQ8_0(w: usize, blocks: usize, row: usize, y: usize, scratch: usize): void {
  const cols = blocks * 32;
  let x = signedOperand(row, cols, 32), steps = stepsOf(row, cols);
  let total0 = f32x4.splat(0), total1 = total0;
  for (const end = w + GROUP * blocks; w < end; w += GROUP) {
    loadHalves(w, scratch);
    let first0 = i32x4.splat(0), first1 = first0, second0 = first0, second1 = first0;
    for (let qs = w + 16; qs < w + GROUP; qs += 32) {
      const low = v128.load(qs), high = v128.load(qs, 16);
      first0 = addFirst(first0, low, x);
      first1 = addFirst(first1, high, x);
      second0 = addSecond(second0, low, x);
      second1 = addSecond(second1, high, x);
      x += SIGNED_QUAD;
    }
    const step = v128.load32_splat(steps);
    total0 = addBlock(total0, step, v128.load(scratch), signedTotal(first0, second0));
    total1 = addBlock(total1, step, v128.load(scratch, 16), signedTotal(first1, second1));
    steps += 4;
  }
  v128.store(y, total0);
  v128.store(y, total1, 16);
}

/** One group as a block of a panel: q + 128. */
export function unpackQ8_0(group: usize, panel: usize, scratch: usize): void {
  const sign = v128.load(SIGNS);
  for (let at: usize = 0; at < 8 * WORD; at += 2 * WORD) {
    const qs = group + 16 + at, to = panel + at;
    v128.store(to, v128.xor(v128.load(qs), sign));
    v128.store(to, v128.xor(v128.load(qs, 16), sign), 16);
    v128.store(to, v128.xor(v128.load(qs, 32), sign), 32);
    v128.store(to, v128.xor(v128.load(qs, 48), sign), 48);
  }
  storeUnits(panel, 32, group);
}
