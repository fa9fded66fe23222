// F32 → F16, ties to even, eight numbers at a time.
import { f32ToF16, f32ToF16x4 } from '../half.wasm';

/** `blocks` floats at `src` → as many numbers of 2 bytes at `dst`. */
export function encodeF16(src: usize, dst: usize, blocks: usize): void {
  const end = src + blocks * 4;
  const end8 = src + (blocks & ~7) * 4;
  while (src < end8) {
    v128.store(dst, i16x8.narrow_i32x4_u(f32ToF16x4(v128.load(src)), f32ToF16x4(v128.load(src, 16))));
    src += 32;
    dst += 16;
  }
  while (src < end) {
    store<u16>(dst, f32ToF16(load<f32>(src)));
    src += 4;
    dst += 2;
  }
}
