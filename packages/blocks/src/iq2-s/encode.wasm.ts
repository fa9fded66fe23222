// F32 → IQ2_S (layout.ts), the arithmetic of reference.ts on four sub-blocks at a time.
import { IQ2_S_POINTS } from '../grids/points.wasm';
import { buildEight } from '../grids/tables.wasm';
import { f32ToF16 } from '../half.wasm';
import { AGAIN_OFF_GRID, fitGrid4, GRID_RANKS, GRID_SCALES, GRID_SIGNS, GRID_WEIGHTS } from '../search/grid.wasm';
import { loadErrorWeights, loadSquares } from '../search/row-weights.wasm';
import { largestScale, NAN_SCALE, oddCode, SUB_SCALES } from '../search/odd-scales.wasm';
import { addSquares } from '../squares.wasm';

let table: usize = 0;

/** 256 floats each at `src` → `blocks` blocks of 82 bytes at `dst`. */
export function encodeIQ2_S(src: usize, dst: usize, blocks: usize): void {
  encodeIQ2_SWeighted(src, dst, blocks, 0);
}

/** The same under importance: `importance` points at that of the first weight (0: without). */
export function encodeIQ2_SWeighted(src: usize, dst: usize, blocks: usize, importance: usize): void {
  if (!table) table = buildEight(IQ2_S_POINTS, 1024, 1);
  for (let block: usize = 0; block < blocks; block++) {
    memory.fill(dst, 0, 82);
    if (fitBlock(src, dst, importance)) {
      storeScales(dst);
    } else {
      memory.fill(dst, 0, 82);
      store<u16>(dst, NAN_SCALE);
    }
    src += 1024;
    if (importance) importance += 1024;
    dst += 82;
  }
}

/** Points and signs of all sub-blocks; false where ggml ends the program. */
@inline
function fitBlock(src: usize, dst: usize, importance: usize): bool {
  const meanSquare2: f32 = (<f32>2 * addSquares(src, 256, 0)) / <f32>256;
  for (let quarter: usize = 0; quarter < 4; quarter++) {
    const x = src + 256 * quarter;
    if (importance) loadErrorWeights(GRID_WEIGHTS, x, importance + 256 * quarter, 256, meanSquare2);
    else loadSquares(GRID_WEIGHTS, x, 256, <f32>0.25 * meanSquare2);
    if (!fitGrid4(x, 16, table, 8, 9, 0.1, 1e-8, false, false, AGAIN_OFF_GRID)) return false;
    v128.store(SUB_SCALES + 16 * quarter, v128.load(GRID_SCALES));
    for (let l: usize = 0; l < 8; l++) {
      const place = dst + 8 * quarter + l;
      const rank = load<u32>(GRID_RANKS + 32 * (l >> 1) + 4 * (l & 1));
      store<u8>(place, rank, 2);
      store<u8>(place, load<u8>(GRID_SIGNS + 4 * (l >> 1) + (l & 1)), 34);
      const high = dst + 2 * quarter + (l >> 2);
      store<u8>(high, <u32>load<u8>(high, 66) | ((rank >> 8) << (2 * (<u32>l & 3))), 66);
    }
  }
  return true;
}

@inline
function storeScales(dst: usize): void {
  const largest = largestScale(16);
  if (largest == 0) return;
  const d: f32 = largest / <f32>31;
  store<u16>(dst, f32ToF16(d * <f32>0.9875));
  for (let j: usize = 0; j < 8; j++) store<u8>(dst + j, oddCode(2 * j, d, 15) | (oddCode(2 * j + 1, d, 15) << 4), 74);
}
