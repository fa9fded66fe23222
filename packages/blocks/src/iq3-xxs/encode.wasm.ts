// F32 → IQ3_XXS (layout.ts), the arithmetic of reference.ts on four sub-blocks at a time.
import { IQ3_XXS_POINTS } from '../grids/points.wasm';
import { buildFour } from '../grids/tables.wasm';
import { f32ToF16 } from '../half.wasm';
import { AGAIN_OFF_GRID, fitGrid4, GRID_RANKS, GRID_SCALES, GRID_SIGNS, GRID_WEIGHTS } from '../search/grid.wasm';
import { loadErrorWeights, loadSquares } from '../search/row-weights.wasm';
import { largestScale, NAN_SCALE, oddCode, SUB_SCALES } from '../search/odd-scales.wasm';
import { addSquares } from '../squares.wasm';

let table: usize = 0;

/** 256 floats each at `src` → `blocks` blocks of 98 bytes at `dst`. */
export function encodeIQ3_XXS(src: usize, dst: usize, blocks: usize): void {
  encodeIQ3_XXSWeighted(src, dst, blocks, 0);
}

/** The same under importance: `importance` points at that of the first weight (0: without). */
export function encodeIQ3_XXSWeighted(src: usize, dst: usize, blocks: usize, importance: usize): void {
  if (!table) table = buildFour(IQ3_XXS_POINTS, 256, 2);
  for (let block: usize = 0; block < blocks; block++) {
    if (fitBlock(src, dst, importance)) {
      storeScales(dst);
    } else {
      memory.fill(dst, 0, 98);
      store<u16>(dst, NAN_SCALE);
    }
    src += 1024;
    if (importance) importance += 1024;
    dst += 98;
  }
}

/** Points and signs of all sub-blocks; false where ggml ends the program. */
@inline
function fitBlock(src: usize, dst: usize, importance: usize): bool {
  const meanSquare2: f32 = (<f32>2 * addSquares(src, 256, 0)) / <f32>256;
  for (let half: usize = 0; half < 2; half++) {
    const x = src + 512 * half;
    if (importance) loadErrorWeights(GRID_WEIGHTS, x, importance + 512 * half, 512, meanSquare2);
    else loadSquares(GRID_WEIGHTS, x, 512, 0);
    if (!fitGrid4(x, 32, table, 4, 15, 0.2, 1e-8, true, false, AGAIN_OFF_GRID)) return false;
    v128.store(SUB_SCALES + 16 * half, v128.load(GRID_SCALES));
    for (let k: usize = 0; k < 32; k++) store<u8>(dst + 32 * half + k, load<u32>(GRID_RANKS + 4 * k), 2);
    for (let lane: usize = 0; lane < 4; lane++) {
      const signs = load<u32>(GRID_SIGNS + 4 * lane);
      const low = (signs & 127) | ((signs >> 1) & (127 << 7));
      const high = ((signs >> 2) & (127 << 14)) | ((signs >> 3) & (127 << 21));
      store<u32>(dst + 16 * half + 4 * lane, low | high, 66);
    }
  }
  return true;
}

@inline
function storeScales(dst: usize): void {
  const largest = largestScale(8);
  if (largest == 0) {
    memory.fill(dst, 0, 98);
    return;
  }
  const d: f32 = largest / <f32>31;
  store<u16>(dst, f32ToF16(d * <f32>1.0125));
  for (let j: usize = 0; j < 8; j++) {
    const word = dst + 4 * j;
    store<u32>(word, load<u32>(word, 66) | (oddCode(j, d, 15) << 28), 66);
  }
}
