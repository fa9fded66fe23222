// Turns sub-blocks into lanes. The searches run on four sub-blocks at once, one per lane, so that every lane adds its
// floats in the order of the scalar code; lanes over neighbouring weights would sum in another order and round differently.

/** Four rows of `count` floats (a multiple of 4), `stride` bytes apart → `count` vectors of one float per row. */
@inline
export function transpose4(src: usize, stride: usize, count: usize, dst: usize): void {
  for (let i: usize = 0; i < count; i += 4) {
    const a = v128.load(src);
    const b = v128.load(src + stride);
    const c = v128.load(src + 2 * stride);
    const d = v128.load(src + 3 * stride);
    const ac0 = v128.shuffle<f32>(a, c, 0, 4, 1, 5);
    const bd0 = v128.shuffle<f32>(b, d, 0, 4, 1, 5);
    const ac2 = v128.shuffle<f32>(a, c, 2, 6, 3, 7);
    const bd2 = v128.shuffle<f32>(b, d, 2, 6, 3, 7);
    v128.store(dst, v128.shuffle<f32>(ac0, bd0, 0, 4, 1, 5));
    v128.store(dst, v128.shuffle<f32>(ac0, bd0, 2, 6, 3, 7), 16);
    v128.store(dst, v128.shuffle<f32>(ac2, bd2, 0, 4, 1, 5), 32);
    v128.store(dst, v128.shuffle<f32>(ac2, bd2, 2, 6, 3, 7), 48);
    src += 16;
    dst += 64;
  }
}
