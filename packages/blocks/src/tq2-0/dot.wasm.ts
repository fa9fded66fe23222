// TQ2_0 (layout.ts), eight rows side by side (activations/rows8.wasm.ts), against activations in 8 bits: d · Σ (q − 1) · x.
import { WORD, scalesOf, storeScale, storeUnits } from '../activations/panel.wasm';
import { QUAD } from '../activations/products.wasm';
import { stepsOf, sums32Of, unsignedOperand } from '../activations/row.wasm';
import { addBlock, loadHalves } from '../activations/rows8.wasm';
import { twoBitSums, unpackTwoBits } from '../q2-k/two-bit-sums.wasm';

/** d; qs. */
export const PARTS_TQ2_0 = memory.data<u8>([1, 2, 1, 64, 16, 4, 1, 0, 0]);
const GROUP: usize = 8 * 66;
const QS: usize = 16;

/** A row of groups against one token: eight floats at `y`. */
export function dotTQ2_0(w: usize, blocks: usize, row: usize, y: usize, scratch: usize): void {
  const cols = blocks * 256, parts = scratch + 32;
  let x = unsignedOperand(row, cols, 256), steps = stepsOf(row, cols), sums = sums32Of(row, cols, 256);
  let total0 = f32x4.splat(0), total1 = total0;
  for (const end = w + GROUP * blocks; w < end; w += GROUP) {
    loadHalves(w, scratch);
    let sum0 = minusAll(sums), sum1 = sum0;
    for (let sixteen: usize = 0; sixteen < 4; sixteen++) {
      const qs = w + QS + 128 * sixteen, at = x + (128 * (sixteen >> 1) + 16 * (sixteen & 1)) * (QUAD / 4);
      twoBitSums(qs, at, parts);
      sum0 = i32x4.add(sum0, all(parts));
      twoBitSums(qs + 16, at, parts);
      sum1 = i32x4.add(sum1, all(parts));
    }
    const step = v128.load32_splat(steps);
    total0 = addBlock(total0, step, v128.load(scratch), sum0);
    total1 = addBlock(total1, step, v128.load(scratch, 16), sum1);
    x += 64 * QUAD;
    steps += 4;
    sums += 16;
  }
  v128.store(y, total0);
  v128.store(y, total1, 16);
}

@inline
function all(parts: usize): v128 {
  const low = i32x4.add(v128.load(parts), v128.load(parts, 16));
  return i32x4.add(low, i32x4.add(v128.load(parts, 32), v128.load(parts, 48)));
}

/** −Σ x of 256 activations. */
@inline
function minusAll(sums: usize): v128 {
  let sum: i32 = 0;
  for (const end = sums + 16; sums < end; sums += 2) sum -= load<i16>(sums);
  return i32x4.splat(sum);
}

/** One group as a block of a panel: q, scales of 1, d. */
export function unpackTQ2_0(group: usize, panel: usize, scratch: usize): void {
  unpackTwoBits(group + QS, panel);
  for (let j: usize = 0; j < 8; j++) storeScale(scalesOf(panel, 256) + WORD * j, i16x8.splat(1));
  storeUnits(panel, 256, group);
}
