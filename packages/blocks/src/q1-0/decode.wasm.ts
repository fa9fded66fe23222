// Q1_0 → F32 (layout.ts): x = ±d.
import { f16ToF32 } from '../half.wasm';
import { storeScaled } from '../scaled.wasm';

/** Which of two bytes a weight has its bit in, and which bit. */
const BYTE = memory.data<u8>([0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1], 16);
const BIT = memory.data<u8>([1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128], 16);

/** `blocks` blocks of 18 bytes at `src` → 128 floats each at `dst`. */
export function decodeQ1_0(src: usize, dst: usize, blocks: usize): void {
  const bit = v128.load(BIT);
  const one = i8x16.splat(1);
  const two = i8x16.splat(2);
  for (let block: usize = 0; block < blocks; block++) {
    const d = f32x4.splat(f16ToF32(load<u16>(src)));
    const packed = v128.load(src, 2);
    let byte = v128.load(BYTE);
    for (const end = dst + 512; dst < end; dst += 64) {
      const set = i8x16.eq(v128.and(i8x16.swizzle(packed, byte), bit), bit);
      storeScaled(dst, i8x16.sub(v128.and(set, two), one), d);
      byte = i8x16.add(byte, two);
    }
    src += 18;
  }
}
