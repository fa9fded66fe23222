// BF16 → F32: sixteen zero bits below, eight numbers at a time.

/** `blocks` numbers of 2 bytes at `src` → as many floats at `dst`. */
export function decodeBF16(src: usize, dst: usize, blocks: usize): void {
  const end = src + blocks * 2;
  const end8 = src + (blocks & ~7) * 2;
  const zero = i64x2.splat(0);
  while (src < end8) {
    const halves = v128.load(src);
    v128.store(dst, v128.shuffle<i16>(zero, halves, 0, 8, 1, 9, 2, 10, 3, 11));
    v128.store(dst, v128.shuffle<i16>(zero, halves, 4, 12, 5, 13, 6, 14, 7, 15), 16);
    src += 16;
    dst += 32;
  }
  while (src < end) {
    store<u32>(dst, <u32>load<u16>(src) << 16);
    src += 2;
    dst += 4;
  }
}
