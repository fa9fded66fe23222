// Q5_0 (layout.ts), eight rows side by side (activations/rows8.wasm.ts), against activations in 8 bits: d · Σ (q − 16) · x.
import { storeUnits } from '../activations/panel.wasm';
import { QUAD } from '../activations/products.wasm';
import { stepsOf, sums32Of, unsignedOperand } from '../activations/row.wasm';
import { addBlock, loadHalves } from '../activations/rows8.wasm';
import { fiveBitSums, unpackFiveBits } from './five-bits.wasm';

/** d; qh; qs. */
export const PARTS_Q5_0 = memory.data<u8>([1, 2, 1, 0, 5, 4, 1, 2, 0]);
const GROUP: usize = 8 * 22;

/** A row of groups against one token: eight floats at `y`. */
export function dotQ5_0(w: usize, blocks: usize, row: usize, y: usize, scratch: usize): void {
  const cols = blocks * 32;
  let x = unsignedOperand(row, cols, 32), steps = stepsOf(row, cols), sums = sums32Of(row, cols, 32);
  let total0 = f32x4.splat(0), total1 = total0;
  for (const end = w + GROUP * blocks; w < end; w += GROUP) {
    loadHalves(w, scratch);
    const middle = i32x4.splat(<i32>load<i16>(sums) * -16), step = v128.load32_splat(steps);
    total0 = addBlock(total0, step, v128.load(scratch), fiveBitSums(w + 16, w + 48, x, middle));
    total1 = addBlock(total1, step, v128.load(scratch, 16), fiveBitSums(w + 32, w + 64, x, middle));
    x += 8 * QUAD;
    steps += 4;
    sums += 2;
  }
  v128.store(y, total0);
  v128.store(y, total1, 16);
}

/** One group as a block of a panel. */
export function unpackQ5_0(group: usize, panel: usize, scratch: usize): void {
  unpackFiveBits(group + 16, panel);
  storeUnits(panel, 32, group);
}
