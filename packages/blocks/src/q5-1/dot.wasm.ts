// Q5_1 (layout.ts), eight rows side by side (activations/rows8.wasm.ts), against activations in 8 bits: d · Σ q · x + m · Σ x.
import { unitsOf } from '../activations/panel.wasm';
import { QUAD } from '../activations/products.wasm';
import { stepsOf, sums32Of, unsignedOperand } from '../activations/row.wasm';
import { addBlockWithMin } from '../activations/rows8.wasm';
import { loadAffineUnits } from '../q4-1/units.wasm';
import { fiveBitSums, unpackFiveBits } from '../q5-0/five-bits.wasm';

/** d, m; qh, qs. */
export const PARTS_Q5_1 = memory.data<u8>([2, 2, 1, 0, 5, 4, 1, 4, 0]);
const GROUP: usize = 8 * 24;

/** A row of groups against one token: eight floats at `y`. */
export function dotQ5_1(w: usize, blocks: usize, row: usize, y: usize, scratch: usize): void {
  const cols = blocks * 32, none = i32x4.splat(0);
  let x = unsignedOperand(row, cols, 32), steps = stepsOf(row, cols), sums = sums32Of(row, cols, 32);
  let total0 = f32x4.splat(0), total1 = total0;
  for (const end = w + GROUP * blocks; w < end; w += GROUP) {
    loadAffineUnits(w, scratch);
    const all = i32x4.splat(load<i16>(sums)), step = v128.load32_splat(steps);
    const sum0 = fiveBitSums(w + 32, w + 64, x, none), sum1 = fiveBitSums(w + 48, w + 80, x, none);
    total0 = addBlockWithMin(total0, step, v128.load(scratch), sum0, v128.load(scratch, 32), all);
    total1 = addBlockWithMin(total1, step, v128.load(scratch, 16), sum1, v128.load(scratch, 48), all);
    x += 8 * QUAD;
    steps += 4;
    sums += 2;
  }
  v128.store(y, total0);
  v128.store(y, total1, 16);
}

/** One group as a block of a panel. */
export function unpackQ5_1(group: usize, panel: usize, scratch: usize): void {
  unpackFiveBits(group + 32, panel);
  loadAffineUnits(group, unitsOf(panel, 32));
}
