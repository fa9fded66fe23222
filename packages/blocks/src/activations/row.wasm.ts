// A row of activations as the integer kernels read it (reference.ts says how it is rounded). For `cols` weights in blocks
// of `blockSize`:
//
//   codes   i16 × cols; of each 16 first the even ones (0, 2, … 14), then the odd ones: the order in which 16 bytes of
//           stored weights fall apart when taken as eight 16-bit words
//   steps   f32 × cols / blockSize, the d of each block
//   sums    i16 × cols / 16, sums of 16 codes each
//   bytes   i8 × cols, the codes once more, in their own order: written and read where SIMD may be relaxed
//
// The kernels find the parts by these functions.
import { f16ToF32, f32ToF16 } from '../half.wasm';
import { ROUNDER } from '../rounding.wasm';

const MAGNITUDE = memory.data<u32>([0x7fffffff, 0x7fffffff, 0x7fffffff, 0x7fffffff], 16);
const ONES = memory.data<i16>([1, 1, 1, 1, 1, 1, 1, 1], 16);

@inline
export function stepsOf(row: usize, cols: usize): usize {
  return row + 2 * cols;
}

@inline
export function sumsOf(row: usize, cols: usize, blockSize: usize): usize {
  return row + 2 * cols + (4 * cols) / blockSize;
}

/** What the kernels of single rows read: 16 activations every NEXT bytes (products.wasm.ts). */
@inline
export function dotOperand(row: usize, cols: usize, blockSize: usize): usize {
  return ASC_FEATURE_RELAXED_SIMD ? bytesOf(row, cols, blockSize) : row;
}

@inline
function bytesOf(row: usize, cols: usize, blockSize: usize): usize {
  return sumsOf(row, cols, blockSize) + cols / 8;
}

/** Rounds `cols` floats at `x` into the row at `row`. */
export function roundActivations(x: usize, row: usize, cols: usize, blockSize: usize): void {
  const steps = stepsOf(row, cols);
  let sums = sumsOf(row, cols, blockSize);
  let bytes = bytesOf(row, cols, blockSize);
  for (let block: usize = 0; block < cols / blockSize; block++) {
    const max = largestMagnitude(x, blockSize);
    const inverse: f32 = <f32>127 / max;
    let step: f32 = max < Infinity ? (inverse < Infinity ? stepOf(max, inverse, blockSize) : 0) : NaN;
    store<f32>(steps + 4 * block, step);
    // 0 · x is no 0 for the NaN and infinities that made the step NaN, so such blocks get codes of 0 like empty ones.
    if (max < Infinity && inverse < Infinity) roundBlock(x, row, sums, bytes, blockSize, inverse);
    else clearBlock(row, sums, bytes, blockSize);
    x += 4 * blockSize;
    row += 2 * blockSize;
    sums += blockSize / 8;
    bytes += blockSize;
  }
}

@inline
function stepOf(max: f32, inverse: f32, blockSize: usize): f32 {
  if (blockSize == 256) return <f32>1 / inverse;
  const step: f32 = max / <f32>127;
  const half = f16ToF32(f32ToF16(step));
  return half < Infinity ? half : step;
}

/** As integers the bits of floats without sign are ordered like the floats, infinity and NaN last. */
@inline
function largestMagnitude(x: usize, count: usize): f32 {
  const magnitude = v128.load(MAGNITUDE);
  let a = v128.and(v128.load(x), magnitude), b = a;
  for (const end = x + 4 * count; x < end; x += 32) {
    a = i32x4.max_s(a, v128.and(v128.load(x), magnitude));
    b = i32x4.max_s(b, v128.and(v128.load(x, 16), magnitude));
  }
  a = i32x4.max_s(a, b);
  a = i32x4.max_s(a, v128.shuffle<u32>(a, a, 2, 3, 0, 1));
  a = i32x4.max_s(a, v128.shuffle<u32>(a, a, 1, 0, 3, 2));
  return reinterpret<f32>(i32x4.extract_lane(a, 0));
}

@inline
function roundBlock(x: usize, codes: usize, sums: usize, bytes: usize, count: usize, inverse: f32): void {
  const factor = f32x4.splat(inverse);
  const rounder = v128.load(ROUNDER);
  const ones = v128.load(ONES);
  for (const end = codes + 2 * count; codes < end; codes += 32) {
    const low = i16x8.narrow_i32x4_s(code4(v128.load(x), factor, rounder), code4(v128.load(x, 16), factor, rounder));
    const high = i16x8.narrow_i32x4_s(
      code4(v128.load(x, 32), factor, rounder),
      code4(v128.load(x, 48), factor, rounder),
    );
    v128.store(codes, v128.shuffle<u16>(low, high, 0, 2, 4, 6, 8, 10, 12, 14));
    v128.store(codes, v128.shuffle<u16>(low, high, 1, 3, 5, 7, 9, 11, 13, 15), 16);
    if (ASC_FEATURE_RELAXED_SIMD) {
      v128.store(bytes, i8x16.narrow_i16x8_s(low, high));
      bytes += 16;
    }
    let sum = i32x4.dot_i16x8_s(i16x8.add(low, high), ones);
    sum = i32x4.add(sum, v128.shuffle<u32>(sum, sum, 2, 3, 0, 1));
    store<i16>(sums, <i16>(i32x4.extract_lane(sum, 0) + i32x4.extract_lane(sum, 1)));
    sums += 2;
    x += 64;
  }
}

/** Nearest integers: the low bits of the float after adding 1.5 · 2^23. */
@inline
function code4(x: v128, factor: v128, rounder: v128): v128 {
  return i32x4.sub(f32x4.add(f32x4.mul(x, factor), rounder), rounder);
}

function clearBlock(codes: usize, sums: usize, bytes: usize, count: usize): void {
  memory.fill(codes, 0, 2 * count);
  memory.fill(sums, 0, count / 8);
  if (ASC_FEATURE_RELAXED_SIMD) memory.fill(bytes, 0, count);
}
