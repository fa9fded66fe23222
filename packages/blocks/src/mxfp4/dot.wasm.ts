// MXFP4 (layout.ts), eight rows side by side (activations/rows8.wasm.ts), against activations in 8 bits: 2^(e − 128) · Σ VALUES[q] · x.
import { unitsOf } from '../activations/panel.wasm';
import { SIGNED_QUAD } from '../activations/products.wasm';
import { signedOperand, stepsOf } from '../activations/row.wasm';
import { addBlock } from '../activations/rows8.wasm';
import { lookedUpSums, unpackLookedUp } from '../iq4-nl/looked-up.wasm';
import { halfScales, VALUES } from './values.wasm';

/** e; qs. */
export const PARTS_MXFP4 = memory.data<u8>([1, 1, 1, 0, 4, 4, 1, 1, 0]);
const GROUP: usize = 8 * 17;

/** A row of groups against one token: eight floats at `y`. */
export function dotMXFP4(w: usize, blocks: usize, row: usize, y: usize, scratch: usize): void {
  const cols = blocks * 32, values = v128.load(VALUES);
  let x = signedOperand(row, cols, 32), steps = stepsOf(row, cols);
  let total0 = f32x4.splat(0), total1 = total0;
  for (const end = w + GROUP * blocks; w < end; w += GROUP) {
    loadScales(w, scratch);
    const step = v128.load32_splat(steps);
    total0 = addBlock(total0, step, v128.load(scratch), lookedUpSums(values, w + 8, x));
    total1 = addBlock(total1, step, v128.load(scratch, 16), lookedUpSums(values, w + 24, x));
    x += 8 * SIGNED_QUAD;
    steps += 4;
  }
  v128.store(y, total0);
  v128.store(y, total1, 16);
}

/** One group as a block of a panel: VALUES[q] + 12. */
export function unpackMXFP4(group: usize, panel: usize, scratch: usize): void {
  unpackLookedUp(i8x16.add(v128.load(VALUES), i8x16.splat(12)), group + 8, panel);
  loadScales(group, unitsOf(panel, 32));
}

/** The scales of eight rows as floats. */
@inline
function loadScales(group: usize, to: usize): void {
  const exponents = v128.load8x8_u(group);
  v128.store(to, halfScales(i32x4.extend_low_i16x8_u(exponents)));
  v128.store(to, halfScales(i32x4.extend_high_i16x8_u(exponents)), 16);
}
