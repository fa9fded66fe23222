// F32 → IQ2_XS (layout.ts), the arithmetic of reference.ts on four sub-blocks at a time.
import { IQ2_XS_POINTS } from '../grids/points.wasm';
import { buildEight } from '../grids/tables.wasm';
import { f32ToF16 } from '../half.wasm';
import { AGAIN_OFF_GRID, fitGrid4, GRID_RANKS, GRID_SCALES, GRID_SIGNS, GRID_WEIGHTS } from '../search/grid.wasm';
import { loadErrorWeights } from '../search/row-weights.wasm';
import { largestScale, NAN_SCALE, oddCode, SUB_SCALES } from '../search/odd-scales.wasm';
import { addSquares } from '../squares.wasm';

let table: usize = 0;

/** 256 floats each at `src` → `blocks` blocks of 74 bytes at `dst`; `importance` points at that of the first weight. */
export function encodeIQ2_XSWeighted(src: usize, dst: usize, blocks: usize, importance: usize): void {
  if (!table) table = buildEight(IQ2_XS_POINTS, 512, 2);
  for (let block: usize = 0; block < blocks; block++) {
    if (fitBlock(src, dst, importance)) {
      storeScales(dst);
    } else {
      memory.fill(dst, 0, 74);
      store<u16>(dst, NAN_SCALE);
    }
    src += 1024;
    importance += 1024;
    dst += 74;
  }
}

/** Points and signs of all sub-blocks; false where ggml ends the program. */
@inline
function fitBlock(src: usize, dst: usize, importance: usize): bool {
  const meanSquare: f32 = addSquares(src, 256, 0) / <f32>256;
  for (let quarter: usize = 0; quarter < 4; quarter++) {
    loadErrorWeights(GRID_WEIGHTS, src + 256 * quarter, importance + 256 * quarter, 256, meanSquare);
    if (!fitGrid4(src + 256 * quarter, 16, table, 8, 9, 0.1, 1e-15, true, false, AGAIN_OFF_GRID)) return false;
    v128.store(SUB_SCALES + 16 * quarter, v128.load(GRID_SCALES));
    for (let l: usize = 0; l < 8; l++) {
      const lane = l >> 1;
      const k = l & 1;
      const signs = <u32>load<u8>(GRID_SIGNS + 4 * lane + k) & 127;
      store<u16>(dst + 16 * quarter + 2 * l, load<u32>(GRID_RANKS + 32 * lane + 4 * k) | (signs << 9), 2);
    }
  }
  return true;
}

@inline
function storeScales(dst: usize): void {
  const largest = largestScale(16);
  if (largest == 0) {
    memory.fill(dst, 0, 74);
    return;
  }
  const d: f32 = largest / <f32>31;
  store<u16>(dst, f32ToF16(d));
  for (let j: usize = 0; j < 8; j++) store<u8>(dst + j, oddCode(2 * j, d, 15) | (oddCode(2 * j + 1, d, 15) << 4), 66);
}
