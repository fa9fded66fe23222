// F32 → Q6_K (layout.ts), the arithmetic of reference.ts on four sub-blocks at a time.
import { f16ToF32, f32ToF16 } from '../half.wasm';
import { nearestInt } from '../rounding.wasm';
import { transpose16x16 } from '../search/error-weights.wasm';
import {
  fitSymmetric16x16,
  GROUP_EPSILON,
  SYMMETRIC_CODE_INVERSE,
  SYMMETRIC_SCALE,
  SYMMETRIC_WEIGHTS,
  SYMMETRIC_X,
} from '../search/symmetric.wasm';
import { searchCodes, storedCodes } from '../search/symmetric-codes.wasm';

const HALF = memory.data<i32>([32, 32, 32, 32], 16);
const NIBBLE = memory.data<u32>([0x0f0f0f0f, 0x0f0f0f0f, 0x0f0f0f0f, 0x0f0f0f0f], 16);
const CODES = memory.data(256, 16);

/** 256 floats each at `src` → `blocks` blocks of 210 bytes at `dst`. */
export function encodeQ6_K(src: usize, dst: usize, blocks: usize): void {
  for (let block: usize = 0; block < blocks; block++) {
    transpose16x16(src, SYMMETRIC_X);
    for (let i: usize = 0; i < 1024; i += 16) {
      const x = v128.load(SYMMETRIC_X + i);
      v128.store(SYMMETRIC_WEIGHTS + i, f32x4.mul(x, x));
    }
    encodeLoaded(src, dst);
    src += 1024;
    dst += 210;
  }
}

/** The same under the importance of the columns, 256 floats per block. */
export function encodeQ6_KWeighted(src: usize, dst: usize, blocks: usize, importance: usize): void {
  for (let block: usize = 0; block < blocks; block++) {
    transpose16x16(src, SYMMETRIC_X);
    transpose16x16(importance, SYMMETRIC_WEIGHTS);
    encodeLoaded(src, dst);
    src += 1024;
    dst += 210;
    importance += 1024;
  }
}

@inline
function encodeLoaded(src: usize, dst: usize): void {
  fitSymmetric16x16(32);
  if (storeScales(dst)) {
    for (let j: usize = 0; j < 16; j++) codeSubBlock(src + 64 * j, dst, j);
    packCodes(dst);
  } else {
    memory.fill(dst, 0, 210);
  }
}

/** d and the sixteen 8-bit scales; false when the whole block counts as zero. */
@inline
function storeScales(dst: usize): bool {
  let extreme: f32 = 0;
  for (let j: usize = 0; j < 64; j += 4) {
    const scale = load<f32>(SYMMETRIC_SCALE + j);
    if (abs(scale) > abs(extreme)) extreme = scale;
  }
  if (abs(extreme) < GROUP_EPSILON) return false;
  const inverse: f32 = <f32>-128 / extreme;
  store<u16>(dst, f32ToF16(<f32>1 / inverse), 208);
  for (let j: usize = 0; j < 16; j++) {
    store<i8>(dst + j, <i8>min<i32>(127, nearestInt(inverse * load<f32>(SYMMETRIC_SCALE + 4 * j))), 192);
  }
  return true;
}

/** Rounds the codes of one sub-block with the scale that was stored; where that is 0, ggml keeps the codes of the search. */
@inline
function codeSubBlock(src: usize, dst: usize, j: usize): void {
  const half = v128.load(HALF);
  const scale: f32 = f16ToF32(load<u16>(dst, 208)) * <f32>load<i8>(dst + j, 192);
  const codes =
    scale != 0
      ? storedCodes(src, f32x4.splat(scale), half)
      : searchCodes(src, load<f32>(SYMMETRIC_CODE_INVERSE + 4 * j), half);
  v128.store(CODES + 16 * j, codes);
}

/** Lower four bits in nibbles, upper two bits in quarters (layout.ts). */
@inline
function packCodes(dst: usize): void {
  const nibble = v128.load(NIBBLE);
  for (let half: usize = 0; half < 2; half++) {
    for (let part: usize = 0; part < 32; part += 16) {
      const codes = CODES + 128 * half + part;
      const q0 = v128.load(codes);
      const q1 = v128.load(codes, 32);
      const q2 = v128.load(codes, 64);
      const q3 = v128.load(codes, 96);
      const ql = dst + 64 * half + part;
      v128.store(ql, v128.or(v128.and(q0, nibble), i16x8.shl(v128.and(q2, nibble), 4)));
      v128.store(ql, v128.or(v128.and(q1, nibble), i16x8.shl(v128.and(q3, nibble), 4)), 32);
      const high01 = v128.or(i8x16.shr_u(q0, 4), i16x8.shl(i8x16.shr_u(q1, 4), 2));
      const high23 = v128.or(i16x8.shl(i8x16.shr_u(q2, 4), 4), i16x8.shl(i8x16.shr_u(q3, 4), 6));
      v128.store(dst + 32 * half + part, v128.or(high01, high23), 128);
    }
  }
}
