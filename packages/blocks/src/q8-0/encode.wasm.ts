// F32 → Q8_0 (layout.ts), the arithmetic of reference.ts on four weights at a time.
import { f32ToF16 } from '../half.wasm';
import { largestLane } from '../horizontal.wasm';
import { ROUNDER } from '../rounding.wasm';

const SIGN = memory.data<u32>([0x80000000, 0x80000000, 0x80000000, 0x80000000], 16);
/** The largest float below 0.5: added towards the sign and truncated, it rounds ties away from zero (C's roundf). */
const ALMOST_HALF = memory.data<u32>([0x3effffff, 0x3effffff, 0x3effffff, 0x3effffff], 16);
const LOW_BYTE = memory.data<u32>([0xff, 0xff, 0xff, 0xff], 16);

/** 32 floats each at `src` → `blocks` blocks of 34 bytes at `dst`. */
export function encodeQ8_0(src: usize, dst: usize, blocks: usize): void {
  const sign = v128.load(SIGN);
  const almostHalf = v128.load(ALMOST_HALF);
  const rounder = v128.load(ROUNDER);
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
    const largest01 = f32x4.pmax(f32x4.abs(x0), f32x4.abs(x1));
    const largest23 = f32x4.pmax(f32x4.abs(x2), f32x4.abs(x3));
    const largest45 = f32x4.pmax(f32x4.abs(x4), f32x4.abs(x5));
    const largest67 = f32x4.pmax(f32x4.abs(x6), f32x4.abs(x7));
    const d = largestLane(f32x4.pmax(f32x4.pmax(largest01, largest23), f32x4.pmax(largest45, largest67))) / <f32>127;
    const inverse = f32x4.splat(d != 0 ? <f32>1 / d : 0);
    store<u16>(dst, f32ToF16(d));
    const q01 = i16x8.narrow_i32x4_s(
      code(x0, inverse, sign, almostHalf, rounder, lowByte),
      code(x1, inverse, sign, almostHalf, rounder, lowByte),
    );
    const q23 = i16x8.narrow_i32x4_s(
      code(x2, inverse, sign, almostHalf, rounder, lowByte),
      code(x3, inverse, sign, almostHalf, rounder, lowByte),
    );
    v128.store(dst, i8x16.narrow_i16x8_u(q01, q23), 2);
    const q45 = i16x8.narrow_i32x4_s(
      code(x4, inverse, sign, almostHalf, rounder, lowByte),
      code(x5, inverse, sign, almostHalf, rounder, lowByte),
    );
    const q67 = i16x8.narrow_i32x4_s(
      code(x6, inverse, sign, almostHalf, rounder, lowByte),
      code(x7, inverse, sign, almostHalf, rounder, lowByte),
    );
    v128.store(dst, i8x16.narrow_i16x8_u(q45, q67), 18);
    src += 128;
    dst += 34;
  }
}

/** The code of each lane as its two's complement low byte; 0 where `inverse` is infinite, as in C. */
@inline
function code(x: v128, inverse: v128, sign: v128, almostHalf: v128, rounder: v128, lowByte: v128): v128 {
  const scaled = f32x4.mul(x, inverse);
  const towardsSign = v128.or(v128.and(scaled, sign), almostHalf);
  return v128.and(f32x4.add(f32x4.trunc(f32x4.add(scaled, towardsSign)), rounder), lowByte);
}
