// F32 → NVFP4 (layout.ts), the arithmetic of reference.ts on four weights at a time.
import { largestLane } from '../horizontal.wasm';
import { nearestFp4x16, setFp4Scale } from '../mxfp4/nearest.wasm';
import { halfScale, toScale } from './scale.wasm';

const MAGNITUDES = memory.data<f32>([0, 1, 2, 3, 4, 6, 8, 12]);

/** 64 floats each at `src` → `blocks` blocks of 36 bytes at `dst`. */
export function encodeNVFP4(src: usize, dst: usize, blocks: usize): void {
  for (let block: usize = 0; block < blocks; block++) {
    for (let j: usize = 0; j < 4; j++) {
      const largest = f32x4.pmax(
        f32x4.pmax(f32x4.abs(v128.load(src)), f32x4.abs(v128.load(src, 16))),
        f32x4.pmax(f32x4.abs(v128.load(src, 32)), f32x4.abs(v128.load(src, 48))),
      );
      const wanted: f32 = largestLane(largest) / <f32>6;
      const bits = toScale(wanted);
      const scale = halfScale(bits);
      store<u8>(dst + j, bits);
      if (wanted > 448) {
        codeBeyondRange(src, dst + 8 * j, scale);
      } else if (bits == 0) {
        store<u64>(dst + 8 * j, 0, 4);
      } else {
        setFp4Scale(scale);
        const codes = nearestFp4x16(src);
        const packed = v128.or(codes, i8x16.shl(v128.shuffle<u64>(codes, codes, 1, 0), 4));
        store<u64>(dst + 8 * j, i64x2.extract_lane(packed, 0), 4);
      }
      src += 64;
    }
    dst += 36;
  }
}

/** Weights far beyond the largest scale: subtracting a multiple of it may change nothing, and then the first code is best. */
function codeBeyondRange(src: usize, dst: usize, scale: f32): void {
  for (let i: usize = 0; i < 8; i++) {
    store<u8>(dst + i, nearest(load<f32>(src + 4 * i), scale) | (nearest(load<f32>(src + 4 * i, 32), scale) << 4), 4);
  }
}

/** As nearest.ts does it. */
function nearest(x: f32, scale: f32): u32 {
  let best: u32 = 0;
  let bestError: f32 = abs(x);
  for (let code: u32 = 1; code < 16; code++) {
    const magnitude: f32 = load<f32>(MAGNITUDES + 4 * (code & 7)) * scale;
    const error: f32 = abs((code < 8 ? magnitude : -magnitude) - x);
    if (error < bestError) {
      best = code;
      bestError = error;
    }
  }
  return best;
}
