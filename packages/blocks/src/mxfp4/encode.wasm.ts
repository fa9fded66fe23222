// F32 → MXFP4 (layout.ts), the arithmetic of reference.ts on four weights at a time.
import { largestLane } from '../horizontal.wasm';
import { nearestFp4x16, setFp4Scale } from './nearest.wasm';
import { halfScale } from './values.wasm';

/** 32 floats each at `src` → `blocks` blocks of 17 bytes at `dst`. */
export function encodeMXFP4(src: usize, dst: usize, blocks: usize): void {
  for (let block: usize = 0; block < blocks; block++) {
    let magnitudes = f32x4.abs(v128.load(src));
    for (let i: usize = 16; i < 128; i += 16) magnitudes = f32x4.pmax(magnitudes, f32x4.abs(v128.load(src + i)));
    const e = exponentOf(largestLane(magnitudes));
    setFp4Scale(halfScale(e));
    store<u8>(dst, e);
    v128.store(dst, v128.or(nearestFp4x16(src), i8x16.shl(nearestFp4x16(src + 64), 4)), 1);
    src += 128;
    dst += 17;
  }
}

/** ⌊log2(magnitude)⌋ + 125 as a byte; the logarithm, rounded to F32, can reach the next power of two. */
@inline
function exponentOf(magnitude: f32): u32 {
  const bits = reinterpret<u32>(magnitude);
  if (bits >= 0x00800000 && (bits & 0x7fffff) < 0x7fff00) return ((bits >> 23) - 2) & 255;
  return magnitude > 0 ? (<i32>floor(<f32>Math.log2(<f64>magnitude)) + 125) & 255 : 0;
}
