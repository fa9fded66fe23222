// F32 → Q5_1 (layout.ts), the arithmetic of reference.ts on four weights at a time.
import { f32ToF16 } from '../half.wasm';
import { largestLane } from '../horizontal.wasm';
import { fiveBitCodes } from '../q5-0/codes.wasm';
import { storeFiveBits } from '../q5-0/fifth-bits.wasm';

/** 32 floats each at `src` → `blocks` blocks of 24 bytes at `dst`. */
export function encodeQ5_1(src: usize, dst: usize, blocks: usize): void {
  const none = i64x2.splat(0);
  const middle = f32x4.splat(0.5);
  for (let block: usize = 0; block < blocks; block++) {
    let lows = v128.load(src);
    let highs = lows;
    for (let i: usize = 16; i < 128; i += 16) {
      lows = f32x4.pmin(lows, v128.load(src + i));
      highs = f32x4.pmax(highs, v128.load(src + i));
    }
    const smallest = -largestLane(f32x4.neg(lows));
    const minimum = smallest == 0 ? firstZero(src) : smallest;
    const d: f32 = (largestLane(highs) - minimum) / <f32>31;
    const inverse: f32 = d != 0 ? <f32>1 / d : 0;
    store<u16>(dst, f32ToF16(d));
    store<u16>(dst, f32ToF16(minimum), 2);
    if (inverse == Infinity) {
      storeFiveBits(dst + 4, dst + 8, none, none); // C's cast of the infinite (x − min) / d to uint8_t gives 0
    } else {
      const shift = f32x4.splat(minimum);
      const scale = f32x4.splat(inverse);
      storeFiveBits(
        dst + 4,
        dst + 8,
        fiveBitCodes(src, shift, scale, middle),
        fiveBitCodes(src + 64, shift, scale, middle),
      );
    }
    src += 128;
    dst += 24;
  }
}

/** Which zero is the minimum, 0 or −0: the first one, whose sign is stored. */
function firstZero(src: usize): f32 {
  for (let i: usize = 0; i < 128; i += 4) {
    const x = load<f32>(src + i);
    if (x == 0) return x;
  }
  return 0;
}
