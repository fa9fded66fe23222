// IQ4_XS (layout.ts), eight rows side by side (activations/rows8.wasm.ts), against activations in 8 bits:
// d · Σ (sc − 32) · VALUES[q] · x.
import { SIGNS } from '../activations/constants.wasm';
import { WORD, scalesOf, storeScale, storeUnits } from '../activations/panel.wasm';
import { SIGNED_QUAD } from '../activations/products.wasm';
import { signedOperand, stepsOf } from '../activations/row.wasm';
import { addBlock, addScaledHigh, addScaledLow, loadHalves } from '../activations/rows8.wasm';
import { lookedUpSums, unpackLookedUp } from '../iq4-nl/looked-up.wasm';
import { VALUES } from '../iq4-nl/values.wasm';

/** d, scales_h; scales_l; qs. */
export const PARTS_IQ4_XS = memory.data<u8>([2, 2, 1, 0, 4, 1, 1, 4, 32, 4, 1, 8, 0]);
const GROUP: usize = 8 * 136;
const QS: usize = 64;

/** A row of groups against one token: eight floats at `y`. */
export function dotIQ4_XS(w: usize, blocks: usize, row: usize, y: usize, scratch: usize): void {
  const cols = blocks * 256, values = v128.load(VALUES);
  let x = signedOperand(row, cols, 256), steps = stepsOf(row, cols);
  let total0 = f32x4.splat(0), total1 = total0;
  for (const end = w + GROUP * blocks; w < end; w += GROUP) {
    loadHalves(w, scratch);
    let sum0 = i32x4.splat(0), sum1 = sum0;
    for (let j: usize = 0; j < 8; j++) {
      const scales = subScales(w, j), qs = w + QS + 128 * j;
      sum0 = addScaledLow(sum0, scales, lookedUpSums(values, qs, x));
      sum1 = addScaledHigh(sum1, scales, lookedUpSums(values, qs + 16, x));
      x += 8 * SIGNED_QUAD;
    }
    const step = v128.load32_splat(steps);
    total0 = addBlock(total0, step, v128.load(scratch), sum0);
    total1 = addBlock(total1, step, v128.load(scratch, 16), sum1);
    steps += 4;
  }
  v128.store(y, total0);
  v128.store(y, total1, 16);
}

/** One group as a block of a panel: VALUES[q] + 128, sc − 32, d. */
export function unpackIQ4_XS(group: usize, panel: usize, scratch: usize): void {
  const values = v128.xor(v128.load(VALUES), v128.load(SIGNS));
  for (let j: usize = 0; j < 8; j++) {
    unpackLookedUp(values, group + QS + 128 * j, panel + 8 * WORD * j);
    storeScale(scalesOf(panel, 256) + WORD * j, subScales(group, j));
  }
  storeUnits(panel, 256, group);
}

/** sc − 32 of sub-block j of eight rows, 16 bits each. */
@inline
function subScales(group: usize, j: usize): v128 {
  const low = v128.and(i16x8.shr_u(v128.load8x8_u(group + 8 * (j >> 1), 32), 4 * (<i32>j & 1)), i16x8.splat(15));
  const high = v128.and(i16x8.shr_u(v128.load(group, 16), 2 * <i32>j), i16x8.splat(3));
  return i16x8.sub(v128.or(low, i16x8.shl(high, 4)), i16x8.splat(32));
}
