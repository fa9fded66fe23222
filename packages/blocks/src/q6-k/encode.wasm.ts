// F32 → Q6_K (layout.ts), the arithmetic of reference.ts on four sub-blocks at a time.
import { f16ToF32, f32ToF16 } from '../half.wasm';
import { nearestInt, nearestInt4 } from '../rounding.wasm';
import { fitSymmetric16, SYMMETRIC_CODE_INVERSE, SYMMETRIC_SCALE, SYMMETRIC_X } from '../search/symmetric.wasm';
import { transpose4 } from '../transpose.wasm';

const LOW = memory.data<i32>([-32, -32, -32, -32], 16);
const HIGH = memory.data<i32>([31, 31, 31, 31], 16);
const MIDDLE = memory.data<i32>([32, 32, 32, 32], 16);
const NIBBLE = memory.data<u32>([0x0f0f0f0f, 0x0f0f0f0f, 0x0f0f0f0f, 0x0f0f0f0f], 16);
const CODES = memory.data(256, 16);
const GROUP_EPSILON: f32 = 1e-15;

/** 256 floats each at `src` → `blocks` blocks of 210 bytes at `dst`. */
export function encodeQ6_K(src: usize, dst: usize, blocks: usize): void {
  for (let block: usize = 0; block < blocks; block++) {
    for (let group: usize = 0; group < 4; group++) transpose4(src + 256 * group, 64, 16, SYMMETRIC_X + 256 * group);
    fitSymmetric16();
    if (storeScales(dst)) {
      for (let j: usize = 0; j < 16; j++) codeSubBlock(src + 64 * j, dst, j);
      packCodes(dst);
    } else {
      memory.fill(dst, 0, 210);
    }
    src += 1024;
    dst += 210;
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

/** Rounds the codes of one sub-block with the scale that was stored. */
@inline
function codeSubBlock(src: usize, dst: usize, j: usize): void {
  const scale: f32 = f16ToF32(load<u16>(dst, 208)) * <f32>load<i8>(dst + j, 192);
  if (scale == 0) {
    keepSearchCodes(src, j);
    return;
  }
  const scales = f32x4.splat(scale);
  v128.store(
    CODES + 16 * j,
    i8x16.narrow_i16x8_u(
      i16x8.narrow_i32x4_s(code(v128.load(src), scales), code(v128.load(src, 16), scales)),
      i16x8.narrow_i32x4_s(code(v128.load(src, 32), scales), code(v128.load(src, 48), scales)),
    ),
  );
}

/** 32 + clamp(nearest(x / scale), −32, 31) of each lane. */
@inline
function code(x: v128, scale: v128): v128 {
  const nearest = nearestInt4(f32x4.div(x, scale));
  return i32x4.add(i32x4.max_s(v128.load(LOW), i32x4.min_s(v128.load(HIGH), nearest)), v128.load(MIDDLE));
}

/** Where the stored scale is 0, ggml leaves the codes of the search in place; they are made again. */
function keepSearchCodes(src: usize, j: usize): void {
  const inverse = load<f32>(SYMMETRIC_CODE_INVERSE + 4 * j);
  for (let l: usize = 0; l < 16; l++) {
    const nearest = nearestInt(inverse * load<f32>(src + 4 * l));
    store<u8>(CODES + 16 * j + l, inverse != 0 ? 32 + max<i32>(-32, min<i32>(31, nearest)) : 0);
  }
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
