// F16 → F32, eight numbers at a time.
import { f16ToF32, f16ToF32x4 } from '../half.wasm';

/** `blocks` numbers of 2 bytes at `src` → as many floats at `dst`. */
export function decodeF16(src: usize, dst: usize, blocks: usize): void {
  const end = src + blocks * 2;
  const end8 = src + (blocks & ~7) * 2;
  while (src < end8) {
    const halves = v128.load(src);
    v128.store(dst, f16ToF32x4(i32x4.extend_low_i16x8_u(halves)));
    v128.store(dst, f16ToF32x4(i32x4.extend_high_i16x8_u(halves)), 16);
    src += 16;
    dst += 32;
  }
  while (src < end) {
    store<f32>(dst, f16ToF32(load<u16>(src)));
    src += 2;
    dst += 4;
  }
}
