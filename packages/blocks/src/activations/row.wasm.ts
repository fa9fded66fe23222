// A row of activations as the integer kernels read it (reference.ts says how it is rounded). For `cols` weights in blocks
// of `blockSize`:
//
//   codes     i16 × cols; of each four in the order 0, 2, 1, 3: that in which four bytes of stored weights fall apart
//             when taken as two 16-bit words
//   steps     f32 × cols / blockSize, the d of each block
//   sums      i16 × cols / 16, sums of 16 codes each
//   sums32    i16 × cols / 32, sums of 32 codes each
//   bytes     i8 × cols, the codes once more
//   split     2 × cols bytes; of each four codes first what is positive, then what is negative, without the sign
//
// The last two are written and read where SIMD may be relaxed. The kernels find the parts by these functions.
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
  return stepsOf(row, cols) + (4 * cols) / blockSize;
}

@inline
export function sums32Of(row: usize, cols: usize, blockSize: usize): usize {
  return sumsOf(row, cols, blockSize) + cols / 8;
}

@inline
function bytesOf(row: usize, cols: usize, blockSize: usize): usize {
  return sums32Of(row, cols, blockSize) + cols / 16;
}

@inline
function splitOf(row: usize, cols: usize, blockSize: usize): usize {
  return bytesOf(row, cols, blockSize) + cols;
}

/** What meets unsigned codes of one token: four activations every QUAD bytes (products.wasm.ts). */
@inline
export function unsignedOperand(row: usize, cols: usize, blockSize: usize): usize {
  return ASC_FEATURE_RELAXED_SIMD ? bytesOf(row, cols, blockSize) : row;
}

/** What meets signed codes of one token: four activations every 8 bytes. */
@inline
export function signedOperand(row: usize, cols: usize, blockSize: usize): usize {
  return ASC_FEATURE_RELAXED_SIMD ? splitOf(row, cols, blockSize) : row;
}

/** Rounds `cols` floats at `x` into the row at `row`. */
export function roundActivations(x: usize, row: usize, cols: usize, blockSize: usize): void {
  const steps = stepsOf(row, cols);
  let sums = sumsOf(row, cols, blockSize);
  let sums32 = sums32Of(row, cols, blockSize);
  let bytes = bytesOf(row, cols, blockSize);
  let split = splitOf(row, cols, blockSize);
  for (let block: usize = 0; block < cols / blockSize; block++) {
    const max = largestMagnitude(x, blockSize);
    const inverse: f32 = <f32>127 / max;
    let step: f32 = max < Infinity ? (inverse < Infinity ? stepOf(max, inverse, blockSize) : 0) : NaN;
    store<f32>(steps + 4 * block, step);
    // 0 · x is no 0 for the NaN and infinities that made the step NaN, so such blocks get codes of 0 like empty ones.
    if (max < Infinity && inverse < Infinity) {
      roundBlock(x, row, sums, sums32, blockSize, inverse);
      if (ASC_FEATURE_RELAXED_SIMD) copyAsBytes(row, bytes, split, blockSize);
    } else clearBlock(row, sums, sums32, bytes, split, blockSize);
    x += 4 * blockSize;
    row += 2 * blockSize;
    sums += blockSize / 8;
    sums32 += blockSize / 16;
    bytes += blockSize;
    split += 2 * blockSize;
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
function roundBlock(x: usize, codes: usize, sums: usize, sums32: usize, count: usize, inverse: f32): void {
  const factor = f32x4.splat(inverse);
  const rounder = v128.load(ROUNDER);
  for (const end = codes + 2 * count; codes < end; codes += 64) {
    const first = round16(x, codes, factor, rounder), second = round16(x + 64, codes + 32, factor, rounder);
    store<i16>(sums, <i16>first);
    store<i16>(sums, <i16>second, 2);
    store<i16>(sums32, <i16>(first + second));
    sums += 4;
    sums32 += 2;
    x += 128;
  }
}

/** Rounds 16 floats and returns the sum of their codes. */
@inline
function round16(x: usize, codes: usize, factor: v128, rounder: v128): i32 {
  const low = i16x8.narrow_i32x4_s(code4(v128.load(x), factor, rounder), code4(v128.load(x, 16), factor, rounder));
  const high = i16x8.narrow_i32x4_s(
    code4(v128.load(x, 32), factor, rounder),
    code4(v128.load(x, 48), factor, rounder),
  );
  v128.store(codes, v128.shuffle<u16>(low, low, 0, 2, 1, 3, 4, 6, 5, 7));
  v128.store(codes, v128.shuffle<u16>(high, high, 0, 2, 1, 3, 4, 6, 5, 7), 16);
  const sum = i32x4.dot_i16x8_s(i16x8.add(low, high), v128.load(ONES));
  const pairs = i32x4.add(sum, v128.shuffle<u32>(sum, sum, 2, 3, 0, 1));
  return i32x4.extract_lane(pairs, 0) + i32x4.extract_lane(pairs, 1);
}

/** Nearest integers: the low bits of the float after adding 1.5 · 2^23. */
@inline
function code4(x: v128, factor: v128, rounder: v128): v128 {
  return i32x4.sub(f32x4.add(f32x4.mul(x, factor), rounder), rounder);
}

/** `count` codes once more, as bytes. */
function copyAsBytes(codes: usize, bytes: usize, split: usize, count: usize): void {
  const zero = i64x2.splat(0);
  for (const end = codes + 2 * count; codes < end; codes += 32) {
    const low = v128.load(codes), high = v128.load(codes, 16);
    const all = i8x16.narrow_i16x8_s(
      v128.shuffle<u16>(low, low, 0, 2, 1, 3, 4, 6, 5, 7),
      v128.shuffle<u16>(high, high, 0, 2, 1, 3, 4, 6, 5, 7),
    );
    v128.store(bytes, all);
    const positive = i8x16.max_s(all, zero), negative = i8x16.sub(positive, all);
    v128.store(split, v128.shuffle<u32>(positive, negative, 0, 4, 1, 5));
    v128.store(split, v128.shuffle<u32>(positive, negative, 2, 6, 3, 7), 16);
    bytes += 16;
    split += 32;
  }
}

function clearBlock(codes: usize, sums: usize, sums32: usize, bytes: usize, split: usize, count: usize): void {
  memory.fill(codes, 0, 2 * count);
  memory.fill(sums, 0, count / 8);
  memory.fill(sums32, 0, count / 16);
  if (!ASC_FEATURE_RELAXED_SIMD) return;
  memory.fill(bytes, 0, count);
  memory.fill(split, 0, 2 * count);
}
