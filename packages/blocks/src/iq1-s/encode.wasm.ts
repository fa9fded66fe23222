// F32 → IQ1_S (layout.ts), the arithmetic of reference.ts.
import { f32ToF16 } from '../half.wasm';
import { largestScale, NAN_SCALE, oddCode, SUB_SCALES } from '../search/odd-scales.wasm';
import { loadErrorWeights } from '../search/row-weights.wasm';
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
import { cutDown, cutHigh, cutLow, cutScale, findCut } from './cut.wasm';

const EPSILON: f32 = 1e-12;
const DOWN: u32 = 0x8000;

const WEIGHTS = memory.data(1024, 16);
const CODES = memory.data(32, 16);

/** 256 floats each at `src` → `blocks` blocks of 50 bytes at `dst`; `importance` points at that of the first weight. */
export function encodeIQ1_SWeighted(src: usize, dst: usize, blocks: usize, importance: usize): void {
  for (let block: usize = 0; block < blocks; block++) {
    memory.fill(dst, 0, 50);
    const meanSquare2: f32 = (<f32>2 * addSquares(src, 256, 0)) / <f32>256;
    loadErrorWeights(WEIGHTS, src, importance, 1024, meanSquare2);
    let done = true;
    for (let j: usize = 0; j < 8 && done; j++) done = fitSubBlock(src + 128 * j, WEIGHTS + 128 * j, dst, j);
    if (done) {
      storeScales(dst);
    } else {
      memory.fill(dst, 0, 50);
      store<u16>(dst, NAN_SCALE);
    }
    src += 1024;
    importance += 1024;
    dst += 50;
  }
}

/** Points, shift and SUB_SCALES of sub-block `j`; false where ggml ends the program. */
@inline
function fitSubBlock(x: usize, weights: usize, dst: usize, j: usize): bool {
  store<f32>(SUB_SCALES + 4 * j, 0);
  if (largestMagnitude(x, 128) < EPSILON) return true;
  findCut(x, weights);
  if (cutLow < 0) return true;
  const mirrored = cutScale < 0;
  const down = cutDown != mirrored;
  let scale: f32 = abs(cutScale);
  storeCodes(CODES, 32, cutLow, cutHigh, mirrored);
  beginPlacing();
  let high: u32 = down ? DOWN : 0;
  for (let k: usize = 0; k < 4; k++) {
    const rank = placeCodes(CODES + 8 * k, x + 32 * k, weights + 32 * k, scale, down);
    if (rank < 0) return false;
    store<u8>(dst + 4 * j + k, rank, 2);
    high |= (<u32>rank >> 8) << (3 * <u32>k);
  }
  store<u16>(dst + 2 * j, high, 34);
  if (!allOnGrid) {
    clearSums();
    for (let k: usize = 0; k < 4; k++) addProjection(CODES + 8 * k, x + 32 * k, weights + 32 * k, down, 1);
    if (sumQX > 0 && sumQ2 > 0) scale = sumQX / sumQ2;
  }
  store<f32>(SUB_SCALES + 4 * j, scale);
  return scale == scale;
}

@inline
function storeScales(dst: usize): void {
  const largest = largestScale(8);
  const d: f32 = largest / <f32>15;
  for (let j: usize = 0; j < 8; j++) {
    const place = dst + 2 * j;
    const high = <u32>load<u16>(place, 34);
    store<u16>(place, largest == 0 ? high & ~DOWN : high | (oddCode(j, d, 7) << 12), 34);
  }
  if (largest != 0) store<u16>(dst, f32ToF16(d * <f32>1.125));
}
