// Q4_0 (layout.ts), eight rows side by side (activations/rows8.wasm.ts), against activations in 8 bits: d · Σ (q − 8) · x.
import { storeUnits, unpackNibbles } from '../activations/panel.wasm';
import { QUAD, nibbleSums } from '../activations/products.wasm';
import { stepsOf, sums32Of, unsignedOperand } from '../activations/row.wasm';
import { addBlock, loadHalves } from '../activations/rows8.wasm';

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

/** One group as a block of a panel. */
export function unpackQ4_0(group: usize, panel: usize, scratch: usize): void {
  unpackNibbles(group + 16, 4, panel);
  storeUnits(panel, 32, group);
}
