// F32 → Q4_0 (layout.ts), the arithmetic of reference.ts on four weights at a time.
import { f32ToF16 } from '../half.wasm';
import { largestLane } from '../horizontal.wasm';
import { codesOf, fitEightSymmetric, storeScale } from '../search/eight-symmetric.wasm';

const MIDDLE = memory.data<f32>([8.5, 8.5, 8.5, 8.5], 16);
/** 2^23, where a float's low bits are its integer part, and the same plus the largest code. */
const INTEGERS = memory.data<f32>([8388608, 8388608, 8388608, 8388608], 16);
const LARGEST = memory.data<f32>([8388623, 8388623, 8388623, 8388623], 16);
const HALF = memory.data<i32>([8, 8, 8, 8], 16);
const LOW_BYTE = memory.data<u32>([0xff, 0xff, 0xff, 0xff], 16);

/** 32 floats each at `src` → `blocks` blocks of 18 bytes at `dst`. */
export function encodeQ4_0(src: usize, dst: usize, blocks: usize): void {
  const middle = v128.load(MIDDLE);
  const integers = v128.load(INTEGERS);
  const largest = v128.load(LARGEST);
  const lowByte = v128.load(LOW_BYTE);
  for (let block: usize = 0; block < blocks; block++) {
    const x0 = v128.load(src);
    const x1 = v128.load(src, 16);
    const x2 = v128.load(src, 32);
    const x3 = v128.load(src, 48);
    const x4 = v128.load(src, 64);
    const x5 = v128.load(src, 80);
    const x6 = v128.load(src, 96);
    const x7 = v128.load(src, 112);
    const high = largestLane(
      f32x4.pmax(f32x4.pmax(f32x4.pmax(x0, x1), f32x4.pmax(x2, x3)), f32x4.pmax(f32x4.pmax(x4, x5), f32x4.pmax(x6, x7))),
    );
    const low = -largestLane(
      f32x4.neg(
        f32x4.pmin(f32x4.pmin(f32x4.pmin(x0, x1), f32x4.pmin(x2, x3)), f32x4.pmin(f32x4.pmin(x4, x5), f32x4.pmin(x6, x7))),
      ),
    );
    const extreme = high == -low ? firstOfMagnitude(src, high) : high > -low ? high : low;
    const d: f32 = extreme / <f32>-8;
    const inverse: f32 = d != 0 ? <f32>1 / d : 0;
    store<u16>(dst, f32ToF16(d));
    if (abs(inverse) == Infinity) {
      v128.store(dst, i64x2.splat(0), 2); // C's cast of the infinite x / d to int8_t gives 0
    } else {
      const scale = f32x4.splat(inverse);
      const q01 = i16x8.narrow_i32x4_s(
        code(x0, scale, middle, integers, largest, lowByte),
        code(x1, scale, middle, integers, largest, lowByte),
      );
      const q23 = i16x8.narrow_i32x4_s(
        code(x2, scale, middle, integers, largest, lowByte),
        code(x3, scale, middle, integers, largest, lowByte),
      );
      const q45 = i16x8.narrow_i32x4_s(
        code(x4, scale, middle, integers, largest, lowByte),
        code(x5, scale, middle, integers, largest, lowByte),
      );
      const q67 = i16x8.narrow_i32x4_s(
        code(x6, scale, middle, integers, largest, lowByte),
        code(x7, scale, middle, integers, largest, lowByte),
      );
      const lowNibbles = i8x16.narrow_i16x8_u(q01, q23);
      const highNibbles = i8x16.narrow_i16x8_u(q45, q67);
      v128.store(dst, v128.or(lowNibbles, i16x8.shl(highNibbles, 4)), 2);
    }
    src += 128;
    dst += 18;
  }
}

/** The same under the importance of the columns, 32 floats per block, in a row of which Σ x² / cols is `meanSquare`. */
export function encodeQ4_0Weighted(src: usize, dst: usize, blocks: usize, importance: usize, meanSquare: f32): void {
  const half = v128.load(HALF);
  for (let block: usize = 0; block < blocks; block++) {
    const j = block % 8;
    if (j == 0) fitEightSymmetric(src, importance + 128 * block, min<usize>(8, blocks - block), meanSquare, 8);
    storeScale(dst, j);
    v128.store(dst, v128.or(codesOf(src, j, half), i16x8.shl(codesOf(src + 64, j, half), 4)), 2);
    src += 128;
    dst += 18;
  }
}

/** min(15, trunc(x · inverse + 8.5)) of each lane; the sum is positive, so truncating is rounding down. */
@inline
function code(x: v128, inverse: v128, middle: v128, integers: v128, largest: v128, lowByte: v128): v128 {
  const whole = f32x4.floor(f32x4.add(f32x4.mul(x, inverse), middle));
  return v128.and(f32x4.pmin(f32x4.add(whole, integers), largest), lowByte);
}

/** The first of 32 weights whose magnitude is `magnitude`, with its sign; 0 when that is 0. */
function firstOfMagnitude(src: usize, magnitude: f32): f32 {
  for (let i: usize = 0; i < 128; i += 4) {
    const x = load<f32>(src + i);
    if (abs(x) == magnitude && x != 0) return x;
  }
  return 0;
}
