// IQ4_NL (layout.ts), eight rows side by side (activations/rows8.wasm.ts), against activations in 8 bits: d · Σ VALUES[q] · x.
import { SIGNS } from '../activations/constants.wasm';
import { storeUnits } from '../activations/panel.wasm';
import { SIGNED_QUAD } from '../activations/products.wasm';
import { signedOperand, stepsOf } from '../activations/row.wasm';
import { addBlock, loadHalves } from '../activations/rows8.wasm';
import { lookedUpSums, unpackLookedUp } from './looked-up.wasm';
import { VALUES } from './values.wasm';

/** d; qs. */
export const PARTS_IQ4_NL = memory.data<u8>([1, 2, 1, 0, 4, 4, 1, 2, 0]);
const GROUP: usize = 8 * 18;

/** A row of groups against one token: eight floats at `y`. */
export function dotIQ4_NL(w: usize, blocks: usize, row: usize, y: usize, scratch: usize): void {
  const cols = blocks * 32, values = v128.load(VALUES);
  let x = signedOperand(row, cols, 32), steps = stepsOf(row, cols);
  let total0 = f32x4.splat(0), total1 = total0;
  for (const end = w + GROUP * blocks; w < end; w += GROUP) {
    loadHalves(w, scratch);
    const step = v128.load32_splat(steps);
    total0 = addBlock(total0, step, v128.load(scratch), lookedUpSums(values, w + 16, x));
    total1 = addBlock(total1, step, v128.load(scratch, 16), lookedUpSums(values, w + 32, x));
    x += 8 * SIGNED_QUAD;
    steps += 4;
  }
  v128.store(y, total0);
  v128.store(y, total1, 16);
}

/** One group as a block of a panel: VALUES[q] + 128. */
export function unpackIQ4_NL(group: usize, panel: usize, scratch: usize): void {
  unpackLookedUp(v128.xor(v128.load(VALUES), v128.load(SIGNS)), group + 16, panel);
  storeUnits(panel, 32, group);
}
