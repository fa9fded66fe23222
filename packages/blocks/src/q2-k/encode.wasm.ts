// F32 → Q2_K (layout.ts), the arithmetic of reference.ts on four sub-blocks at a time.
import { f16ToF32, f32ToF16, resultToF16 } from '../half.wasm';
import { nearestInt } from '../rounding.wasm';
import {
  AFFINE_CODE_INVERSE,
  AFFINE_CODE_MIN,
  AFFINE_MIN,
  AFFINE_SCALE,
  AFFINE_WEIGHTS,
  AFFINE_X,
  fitAffine16x16,
  fitAffine16x16Absolute,
} from '../search/affine.wasm';
import { searchCodes, storedCodes } from '../search/affine-codes.wasm';
import { transpose16x16, weighErrors } from '../search/error-weights.wasm';
import { fitPositive, POSITIVE_CODES, POSITIVE_UNITS } from '../search/positive.wasm';
import { squaresOf4 } from '../squares.wasm';
import { packTwoBits } from './two-bits.wasm';

const SQUARES = memory.data(16, 16);
const CODES = memory.data(256, 16);
const MAX_CODE = memory.data<i32>([3, 3, 3, 3], 16);

/** 256 floats each at `src` → `blocks` blocks of 84 bytes at `dst`. */
export function encodeQ2_K(src: usize, dst: usize, blocks: usize): void {
  for (let block: usize = 0; block < blocks; block++) {
    transpose16x16(src, AFFINE_X);
    for (let i: usize = 0; i < 1024; i += 16) v128.store(AFFINE_WEIGHTS + i, f32x4.abs(v128.load(AFFINE_X + i)));
    fitAffine16x16Absolute(-0.5, 0.1, 15, 3);
    storeFits(dst);
    storeCodes(src, dst);
    src += 1024;
    dst += 84;
  }
}

/** The same under the importance of the columns, 256 floats per block. */
export function encodeQ2_KWeighted(src: usize, dst: usize, blocks: usize, importance: usize): void {
  for (let block: usize = 0; block < blocks; block++) {
    if (block % 4 == 0) squaresOf4(src, blocks - block, SQUARES);
    transpose16x16(src, AFFINE_X);
    transpose16x16(importance, AFFINE_WEIGHTS);
    weighErrors(AFFINE_X, AFFINE_WEIGHTS, 1024, f32x4.splat(load<f32>(SQUARES + 4 * (block % 4)) / <f32>256));
    fitAffine16x16(-0.9, 0.05, 36, 3);
    storeWeightedFits(dst);
    storeCodes(src, dst);
    src += 1024;
    dst += 84;
    importance += 1024;
  }
}

/** d, dmin and the sixteen 4-bit scales and minima, relative to the largest of each. */
@inline
function storeFits(dst: usize): void {
  let maxScale: f32 = 0;
  let maxMin: f32 = 0;
  for (let j: usize = 0; j < 64; j += 4) {
    const scale = load<f32>(AFFINE_SCALE + j);
    const minimum = load<f32>(AFFINE_MIN + j);
    if (scale > maxScale) maxScale = scale;
    if (minimum > maxMin) maxMin = minimum;
  }
  const inverseScale: f32 = maxScale > 0 ? <f32>15 / maxScale : 0;
  const inverseMin: f32 = maxMin > 0 ? <f32>15 / maxMin : 0;
  store<u16>(dst, f32ToF16(maxScale / <f32>15), 80);
  store<u16>(dst, f32ToF16(maxMin / <f32>15), 82);
  for (let j: usize = 0; j < 16; j++) {
    const scale = nearestInt(inverseScale * load<f32>(AFFINE_SCALE + 4 * j));
    const minimum = nearestInt(inverseMin * load<f32>(AFFINE_MIN + 4 * j));
    store<u8>(dst + j, scale | (minimum << 4));
  }
}

/** The same fitted among themselves. */
@inline
function storeWeightedFits(dst: usize): void {
  fitPositive(16, 15);
  store<u16>(dst, resultToF16(load<f32>(POSITIVE_UNITS)), 80);
  store<u16>(dst, resultToF16(load<f32>(POSITIVE_UNITS, 4)), 82);
  for (let j: usize = 0; j < 16; j++) {
    store<u8>(dst + j, load<u32>(POSITIVE_CODES + 16 * j) | (load<u32>(POSITIVE_CODES + 16 * j, 4) << 4));
  }
}

/** Rounds the codes with the scales and minima that were stored; where a scale is 0, ggml keeps the codes of the search. */
@inline
function storeCodes(src: usize, dst: usize): void {
  const maxCode = v128.load(MAX_CODE);
  const d = f16ToF32(load<u16>(dst, 80));
  const dmin = f16ToF32(load<u16>(dst, 82));
  for (let j: usize = 0; j < 16; j++) {
    const stored: u32 = load<u8>(dst + j);
    const scale: f32 = d * <f32>(stored & 15);
    const x = src + 64 * j;
    const codes =
      scale != 0
        ? storedCodes(x, f32x4.splat(scale), f32x4.splat(dmin * <f32>(stored >> 4)), maxCode)
        : searchCodes(
            x,
            v128.load32_splat(AFFINE_CODE_INVERSE + 4 * j),
            v128.load32_splat(AFFINE_CODE_MIN + 4 * j),
            maxCode,
          );
    v128.store(CODES + 16 * j, codes);
  }
  packTwoBits(CODES, dst + 16);
}
