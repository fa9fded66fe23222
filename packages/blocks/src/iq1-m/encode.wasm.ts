// F32 → IQ1_M (layout.ts), the arithmetic of reference.ts.
import { f32ToF16 } from '../half.wasm';
import { largestScale, NAN_SCALE, oddCode, SUB_SCALES } from '../search/odd-scales.wasm';
import { loadErrorWeights, loadSquares } from '../search/row-weights.wasm';
import {
  addProjection,
  allOnGrid,
  beginPlacing,
  clearSums,
  largestMagnitude,
  placeCodes,
  storeCodes,
  sumQ2,
  sumQX,
} from '../search/three-levels.wasm';
import { addSquares } from '../squares.wasm';
import { cutHigh, cutLow, cutScale, cutShifts, findCut } from './cut.wasm';

const EPSILON: f32 = 1e-7;

const WEIGHTS = memory.data(1024, 16);
const CODES = memory.data(256, 16);
/** Of each sub-block: bit 1 is set where the first half is shifted down, bit 0 where the second is. */
const SHIFTS = memory.data(16, 16);

/** 256 floats each at `src` → `blocks` blocks of 56 bytes at `dst`. */
export function encodeIQ1_M(src: usize, dst: usize, blocks: usize): void {
  encodeIQ1_MWeighted(src, dst, blocks, 0);
}

/** The same under importance: `importance` points at that of the first weight (0: without). */
export function encodeIQ1_MWeighted(src: usize, dst: usize, blocks: usize, importance: usize): void {
  for (let block: usize = 0; block < blocks; block++) {
    memory.fill(dst, 0, 56);
    const meanSquare2: f32 = (<f32>2 * addSquares(src, 256, 0)) / <f32>256;
    if (importance) loadErrorWeights(WEIGHTS, src, importance, 1024, meanSquare2);
    else loadSquares(WEIGHTS, src, 1024, 0);
    let done = true;
    for (let j: usize = 0; j < 16 && done; j++) done = fitSubBlock(src + 64 * j, dst, j);
    if (done) {
      storeScales(src, dst);
    } else {
      memory.fill(dst, 0, 56);
      storeUnit(dst, NAN_SCALE);
    }
    src += 1024;
    if (importance) importance += 1024;
    dst += 56;
  }
}

/** Points, SHIFTS and SUB_SCALES of sub-block `j`; false where ggml ends the program. */
@inline
function fitSubBlock(x: usize, dst: usize, j: usize): bool {
  const weights = WEIGHTS + 64 * j;
  const codes = CODES + 16 * j;
  store<f32>(SUB_SCALES + 4 * j, 0);
  store<u8>(SHIFTS + j, 0);
  v128.store(codes, i64x2.splat(0)); // of point 0, which is stored unless another one is found
  if (largestMagnitude(x, 64) < EPSILON) return true;
  findCut(x, weights);
  if (cutLow < 0) return true;
  const mirrored = cutScale < 0;
  const shifts = mirrored ? cutShifts ^ 3 : cutShifts;
  let scale: f32 = abs(cutScale);
  storeCodes(codes, 16, cutLow, cutHigh, mirrored);
  beginPlacing();
  const first = placeCodes(codes, x, weights, scale, (shifts & 2) != 0);
  if (first < 0) return false;
  const second = placeCodes(codes + 8, x + 32, weights + 32, scale, (shifts & 1) != 0);
  if (second < 0) return false;
  if (!allOnGrid) {
    clearSums();
    addProjection(codes, x, weights, (shifts & 2) != 0, 1);
    addProjection(codes + 8, x + 32, weights + 32, (shifts & 1) != 0, 1);
    if (sumQX > 0 && sumQ2 > 0) scale = sumQX / sumQ2;
  }
  store<u8>(dst + 2 * j, first);
  store<u8>(dst + 2 * j, second, 1);
  store<u8>(dst + j, (first >> 8) | ((second >> 8) << 4), 32);
  store<u8>(SHIFTS + j, shifts);
  store<f32>(SUB_SCALES + 4 * j, scale);
  return scale == scale;
}

/** Scales relative to the largest, shifts, and the d that fits best to all that is stored. */
@inline
function storeScales(src: usize, dst: usize): void {
  const largest = largestScale(16);
  if (largest == 0) return;
  let d: f32 = largest / <f32>15;
  clearSums();
  for (let j: usize = 0; j < 16; j++) {
    const sc = oddCode(j, d, 7);
    const place = dst + 2 * (j >> 2);
    store<u16>(place, <u32>load<u16>(place, 48) | (sc << (3 * (<u32>j & 3))), 48);
    const shifts = <u32>load<u8>(SHIFTS + j);
    store<u8>(dst + j, <u32>load<u8>(dst + j, 32) | ((shifts & 2) << 2) | ((shifts & 1) << 7), 32);
    const factor = <f32>(sc * 2 + 1);
    for (let half: usize = 0; half < 2; half++) {
      const at: usize = 64 * j + 32 * half;
      addProjection(CODES + 16 * j + 8 * half, src + at, WEIGHTS + at, ((shifts >> (1 - <u32>half)) & 1) != 0, factor);
    }
  }
  if (sumQ2 > 0) d = sumQX / sumQ2;
  storeUnit(dst, f32ToF16(d * <f32>1.1125));
}

/** The sixteen bits of d, four to each number of scales. */
@inline
function storeUnit(dst: usize, bits: u32): void {
  for (let k: u32 = 0; k < 4; k++) {
    const place = dst + 2 * k;
    store<u16>(place, <u32>load<u16>(place, 48) | (((bits >> (4 * k)) & 15) << 12), 48);
  }
}
