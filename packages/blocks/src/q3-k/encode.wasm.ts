// F32 → Q3_K (layout.ts), the arithmetic of reference.ts on four sub-blocks at a time.
import { f16ToF32, resultToF16 } from '../half.wasm';
import { packTwoBits } from '../q2-k/two-bits.wasm';
import { nearestInt } from '../rounding.wasm';
import { transpose16x16, weighErrors } from '../search/error-weights.wasm';
import { fitMoving16x16, MOVING_CODES, MOVING_SCALE, MOVING_X } from '../search/moving.wasm';
import {
  fitSymmetric16x16,
  SYMMETRIC_CODE_INVERSE,
  SYMMETRIC_SCALE,
  SYMMETRIC_WEIGHTS,
  SYMMETRIC_X,
} from '../search/symmetric.wasm';
import { searchCodes, storedCodes } from '../search/symmetric-codes.wasm';
import { fitSymmetricScales } from '../search/symmetric-scales.wasm';
import { squaresOf4 } from '../squares.wasm';
import { putScale, scaleOf } from './layout.wasm';

const SQUARES = memory.data(16, 16);
const SUM_WEIGHTS = memory.data(64, 16);
const CODES = memory.data(256, 16);
const HALF = memory.data<i32>([4, 4, 4, 4], 16);

/** 256 floats each at `src` → `blocks` blocks of 110 bytes at `dst`. */
export function encodeQ3_K(src: usize, dst: usize, blocks: usize): void {
  for (let block: usize = 0; block < blocks; block++) {
    transpose16x16(src, MOVING_X);
    fitMoving16x16(4);
    storeScales(dst);
    const d = f16ToF32(load<u16>(dst, 108));
    for (let j: usize = 0; j < 16; j++) {
      const scale = storedScale(dst, d, j);
      if (scale != 0) store16(j, storedCodes(src + 64 * j, f32x4.splat(scale), v128.load(HALF)));
      else keepMovedCodes(j);
    }
    packCodes(dst);
    src += 1024;
    dst += 110;
  }
}

/** The same under the importance of the columns, 256 floats per block. */
export function encodeQ3_KWeighted(src: usize, dst: usize, blocks: usize, importance: usize): void {
  for (let block: usize = 0; block < blocks; block++) {
    if (block % 4 == 0) squaresOf4(src, blocks - block, SQUARES);
    transpose16x16(src, SYMMETRIC_X);
    transpose16x16(importance, SYMMETRIC_WEIGHTS);
    const meanSquare: f32 = (<f32>2 * load<f32>(SQUARES + 4 * (block % 4))) / <f32>256;
    weighErrors(SYMMETRIC_X, SYMMETRIC_WEIGHTS, 1024, f32x4.splat(meanSquare));
    sumWeights();
    fitSymmetric16x16(4);
    storeWeightedScales(dst);
    const d = f16ToF32(load<u16>(dst, 108));
    for (let j: usize = 0; j < 16; j++) {
      const scale = storedScale(dst, d, j);
      const x = src + 64 * j;
      if (scale != 0) store16(j, storedCodes(x, f32x4.splat(scale), v128.load(HALF)));
      else store16(j, searchCodes(x, load<f32>(SYMMETRIC_CODE_INVERSE + 4 * j), v128.load(HALF)));
    }
    packCodes(dst);
    src += 1024;
    dst += 110;
    importance += 1024;
  }
}

/** Σ w of every sub-block. */
@inline
function sumWeights(): void {
  for (let group: usize = 0; group < 4; group++) {
    let sum = v128.load(SYMMETRIC_WEIGHTS + 256 * group);
    for (let i: usize = 16; i < 256; i += 16) sum = f32x4.add(sum, v128.load(SYMMETRIC_WEIGHTS + 256 * group + i));
    v128.store(SUM_WEIGHTS + 16 * group, sum);
  }
}

/** d and the sixteen 6-bit scales, relative to the extreme one, which becomes −32. */
@inline
function storeScales(dst: usize): void {
  let extreme: f32 = 0;
  for (let j: usize = 0; j < 64; j += 4) {
    const scale = load<f32>(MOVING_SCALE + j);
    if (abs(scale) > abs(extreme)) extreme = scale;
  }
  memory.fill(dst + 96, 0, 14);
  if (extreme == 0) return;
  const inverse: f32 = <f32>-32 / extreme;
  for (let j: usize = 0; j < 16; j++) {
    const l = <i32>(<i8>nearestInt(inverse * load<f32>(MOVING_SCALE + 4 * j)));
    putScale(dst + 96, j, <u32>(32 + max<i32>(-32, min<i32>(31, l))));
  }
  store<u16>(dst, resultToF16(<f32>1 / inverse), 108);
}

/** The same fitted among themselves, each counting as much as the weights of its sub-block. */
@inline
function storeWeightedScales(dst: usize): void {
  const d = fitSymmetricScales(SYMMETRIC_SCALE, SUM_WEIGHTS, 32, CODES);
  memory.fill(dst + 96, 0, 12);
  for (let j: usize = 0; j < 16; j++) putScale(dst + 96, j, load<u8>(CODES + j));
  store<u16>(dst, resultToF16(d), 108);
}

/** What decoding will use for sub-block `j`. */
@inline
function storedScale(dst: usize, d: f32, j: usize): f32 {
  return d * <f32>(<i32>scaleOf(dst + 96, j) - 32);
}

@inline
function store16(j: usize, codes: v128): void {
  v128.store(CODES + 16 * j, codes);
}

/** Where the stored scale is 0, ggml leaves the codes of the search in place. */
function keepMovedCodes(j: usize): void {
  const codes = MOVING_CODES + 256 * (j >> 2) + 4 * (j & 3);
  for (let l: usize = 0; l < 16; l++) store<u8>(CODES + 16 * j + l, <u8>load<f32>(codes + 16 * l));
}

/** Lower two bits in quarters, upper bit of sub-blocks 2k and 2k + 1 as bit k (layout.ts). */
@inline
function packCodes(dst: usize): void {
  packTwoBits(CODES, dst + 32);
  for (let part: usize = 0; part < 32; part += 16) {
    let upper = i64x2.splat(0);
    for (let k = 0; k < 8; k++) {
      const codes = v128.load(CODES + 32 * <usize>k + part);
      upper = v128.or(upper, i8x16.shl(i8x16.shr_u(codes, 2), k));
    }
    v128.store(dst + part, upper);
  }
}
