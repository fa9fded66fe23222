// Q2_0 → F32 (layout.ts): x = d · (q − 1).
import { f16ToF32 } from '../half.wasm';
import { storeScaled } from '../scaled.wasm';

/** Which of four bytes a weight has its code in. */
const BYTE = memory.data<u8>([0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3], 16);

/** `blocks` blocks of 18 bytes at `src` → 64 floats each at `dst`. */
export function decodeQ2_0(src: usize, dst: usize, blocks: usize): void {
  const one = i8x16.splat(1);
  const four = i8x16.splat(4);
  // The code of the first, second, third and fourth weight of a byte.
  const first = i32x4.splat(0x00000003);
  const second = i32x4.splat(0x00000300);
  const third = i32x4.splat(0x00030000);
  const fourth = i32x4.splat(0x03000000);
  for (let block: usize = 0; block < blocks; block++) {
    const d = f32x4.splat(f16ToF32(load<u16>(src)));
    const packed = v128.load(src, 2);
    let byte = v128.load(BYTE);
    for (const end = dst + 256; dst < end; dst += 64) {
      const q = i8x16.swizzle(packed, byte);
      const early = v128.or(v128.and(q, first), v128.and(i8x16.shr_u(q, 2), second));
      const late = v128.or(v128.and(i8x16.shr_u(q, 4), third), v128.and(i8x16.shr_u(q, 6), fourth));
      storeScaled(dst, i8x16.sub(v128.or(early, late), one), d);
      byte = i8x16.add(byte, four);
    }
    src += 18;
  }
}
