// F32 → IQ2_XXS (layout.ts), the arithmetic of reference.ts on four sub-blocks at a time.
import { IQ2_XXS_POINTS } from '../grids/points.wasm';
import { buildEight } from '../grids/tables.wasm';
import { f32ToF16 } from '../half.wasm';
import { AGAIN_ALL, fitGrid4, GRID_RANKS, GRID_SCALES, GRID_SIGNS, GRID_WEIGHTS } from '../search/grid.wasm';
import { loadErrorWeights } from '../search/row-weights.wasm';
import { largestScale, NAN_SCALE, oddCode, SUB_SCALES } from '../search/odd-scales.wasm';
import { addSquares } from '../squares.wasm';

let table: usize = 0;

/** 256 floats each at `src` → `blocks` blocks of 66 bytes at `dst`; `importance` points at that of the first weight. */
export function encodeIQ2_XXSWeighted(src: usize, dst: usize, blocks: usize, importance: usize): void {
  if (!table) table = buildEight(IQ2_XXS_POINTS, 256, 2);
  for (let block: usize = 0; block < blocks; block++) {
    memory.fill(dst, 0, 66);
    if (fitBlock(src, dst, importance)) storeScales(dst);
    else store<u16>(dst, NAN_SCALE);
    src += 1024;
    importance += 1024;
    dst += 66;
  }
}

/** Points and signs of all sub-blocks; false, and nothing stored, where ggml ends the program. */
@inline
function fitBlock(src: usize, dst: usize, importance: usize): bool {
  const meanSquare: f32 = addSquares(src, 256, 0) / <f32>256;
  for (let half: usize = 0; half < 2; half++) {
    loadErrorWeights(GRID_WEIGHTS, src + 512 * half, importance + 512 * half, 512, meanSquare);
    if (!fitGrid4(src + 512 * half, 32, table, 8, 6, 0.1, 1e-15, true, true, AGAIN_ALL)) {
      memory.fill(dst, 0, 66);
      return false;
    }
    v128.store(SUB_SCALES + 16 * half, v128.load(GRID_SCALES));
    for (let lane: usize = 0; lane < 4; lane++) {
      const sub = dst + 32 * half + 8 * lane;
      let word: u32 = 0;
      for (let k: usize = 0; k < 4; k++) {
        store<u8>(sub + k, load<u32>(GRID_RANKS + 32 * lane + 4 * k), 2);
        word |= (<u32>load<u8>(GRID_SIGNS + 4 * lane + k) & 127) << (7 * <u32>k);
      }
      store<u32>(sub, word, 6);
    }
  }
  return true;
}

@inline
function storeScales(dst: usize): void {
  const largest = largestScale(8);
  if (largest == 0) {
    memory.fill(dst, 0, 66);
    return;
  }
  const d: f32 = largest / <f32>31;
  store<u16>(dst, f32ToF16(d));
  for (let j: usize = 0; j < 8; j++) {
    const sub = dst + 8 * j;
    store<u32>(sub, load<u32>(sub, 6) | (oddCode(j, d, 15) << 28), 6);
  }
}
