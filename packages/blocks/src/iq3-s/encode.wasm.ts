// F32 → IQ3_S (layout.ts), the arithmetic of reference.ts on four sub-blocks at a time.
import { IQ3_S_POINTS } from '../grids/points.wasm';
import { buildFour } from '../grids/tables.wasm';
import { f32ToF16 } from '../half.wasm';
import { AGAIN_ALL_IF_OFF_GRID, fitGrid4, GRID_RANKS, GRID_SCALES, GRID_SIGNS, GRID_WEIGHTS } from '../search/grid.wasm';
import { loadErrorWeights, loadSquares } from '../search/row-weights.wasm';
import { largestScale, NAN_SCALE, oddCode, SUB_SCALES } from '../search/odd-scales.wasm';
import { addSquares } from '../squares.wasm';

/** The least float: only sub-blocks of zeros count as zero. */
const EPSILON = reinterpret<f32>(1);

let table: usize = 0;

/** 256 floats each at `src` → `blocks` blocks of 110 bytes at `dst`. */
export function encodeIQ3_S(src: usize, dst: usize, blocks: usize): void {
  encodeIQ3_SWeighted(src, dst, blocks, 0);
}

/** The same under importance: `importance` points at that of the first weight (0: without). */
export function encodeIQ3_SWeighted(src: usize, dst: usize, blocks: usize, importance: usize): void {
  if (!table) table = buildFour(IQ3_S_POINTS, 512, 3);
  for (let block: usize = 0; block < blocks; block++) {
    memory.fill(dst, 0, 110);
    if (fitBlock(src, dst, importance)) {
      storeScales(dst);
    } else {
      memory.fill(dst, 0, 110);
      store<u16>(dst, NAN_SCALE);
    }
    src += 1024;
    if (importance) importance += 1024;
    dst += 110;
  }
}

/** Points and signs of all sub-blocks, where ggml puts them (reference.ts storePoints); false where it ends the program. */
@inline
function fitBlock(src: usize, dst: usize, importance: usize): bool {
  const meanSquare2: f32 = (<f32>2 * addSquares(src, 256, 0)) / <f32>256;
  let place = dst;
  let signsPlace = dst;
  for (let half: usize = 0; half < 2; half++) {
    const x = src + 512 * half;
    if (importance) loadErrorWeights(GRID_WEIGHTS, x, importance + 512 * half, 512, meanSquare2);
    else loadSquares(GRID_WEIGHTS, x, 512, 0);
    if (!fitGrid4(x, 32, table, 4, 9, 0.2, EPSILON, false, false, AGAIN_ALL_IF_OFF_GRID)) return false;
    v128.store(SUB_SCALES + 16 * half, v128.load(GRID_SCALES));
    for (let lane: usize = 0; lane < 4; lane++) {
      if (isZero(x + 128 * lane)) continue;
      let high: u32 = 0;
      for (let k: u32 = 0; k < 8; k++) {
        const rank = load<u32>(GRID_RANKS + 32 * lane + 4 * k);
        store<u8>(place + k, rank, 2);
        high |= (rank >> 8) << k;
      }
      store<u8>(dst + 4 * half + lane, high, 66);
      store<u32>(signsPlace, load<u32>(GRID_SIGNS + 4 * lane), 74);
      place += 8;
      signsPlace += 4;
    }
  }
  return true;
}

/** Whether all of 32 weights are zero. */
@inline
function isZero(x: usize): bool {
  let nonzero = i64x2.splat(0);
  for (let i: usize = 0; i < 128; i += 16) nonzero = v128.or(nonzero, f32x4.ne(v128.load(x + i), i64x2.splat(0)));
  return !v128.any_true(nonzero);
}

@inline
function storeScales(dst: usize): void {
  const largest = largestScale(8);
  if (largest == 0) return;
  const d: f32 = largest / <f32>31;
  store<u16>(dst, f32ToF16(d * <f32>1.033));
  for (let j: usize = 0; j < 4; j++) store<u8>(dst + j, oddCode(2 * j, d, 15) | (oddCode(2 * j + 1, d, 15) << 4), 106);
}
