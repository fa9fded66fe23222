// F16 → F32, eight numbers at a time.
import { f16ToF32, f16ToF32x4 } from '../half.wasm';

/** `blocks` numbers of 2 bytes at `src` → as many floats at `dst`. */
export function decodeF16(src: usize, dst: usize, blocks: usize): void {
  const end = src + blocks * 2;
  const end8 = src + (blocks & ~7) * 2;
  while (src < end8) {
    const halves = v128.load(src);
    const magnitude = v128.and(halves, i16x8.splat(0x7fff));
    const normal = i16x8.lt_u(i16x8.sub(magnitude, i16x8.splat(0x0400)), i16x8.splat(0x7800));
    if (i16x8.all_true(normal)) {
      // Nearly always: then rebiasing the exponent is all there is to do.
      v128.store(dst, rebias(i32x4.extend_low_i16x8_s(halves)));
      v128.store(dst, rebias(i32x4.extend_high_i16x8_s(halves)), 16);
    } else {
      v128.store(dst, f16ToF32x4(i32x4.extend_low_i16x8_u(halves)));
      v128.store(dst, f16ToF32x4(i32x4.extend_high_i16x8_u(halves)), 16);
    }
    src += 16;
    dst += 32;
  }
  while (src < end) {
    store<f32>(dst, f16ToF32(load<u16>(src)));
    src += 2;
    dst += 4;
  }
}

/** Four sign-extended normal halves → floats. The shift leaves four copies of the sign on top; one stays. */
@inline
function rebias(halves: v128): v128 {
  return i32x4.add(v128.and(i32x4.shl(halves, 13), i32x4.splat(0x8fffffff)), i32x4.splat(0x38000000));
}
