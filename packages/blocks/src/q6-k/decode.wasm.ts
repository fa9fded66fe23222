// Q6_K → F32 (layout.ts): x = (d · sc) · (q − 32).
import { f16ToF32 } from '../half.wasm';
import { storeScaled } from '../scaled.wasm';

/** `blocks` blocks of 210 bytes at `src` → 256 floats each at `dst`. */
export function decodeQ6_K(src: usize, dst: usize, blocks: usize): void {
  const nibble = i8x16.splat(15);
  const pair = i8x16.splat(0x30);
  const middle = i8x16.splat(32);
  for (let block: usize = 0; block < blocks; block++) {
    const d = f16ToF32(load<u16>(src, 208));
    for (let half: usize = 0; half < 2; half++) {
      for (let part: usize = 0; part < 2; part++) {
        const ql = src + 64 * half + 16 * part;
        const scales = src + 8 * half + part;
        const out = dst + 512 * half + 64 * part;
        const low = v128.load(ql);
        const high = v128.load(ql, 32);
        const qh = v128.load(src + 32 * half + 16 * part, 128);
        const q0 = v128.or(v128.and(low, nibble), v128.and(i8x16.shl(qh, 4), pair));
        const q1 = v128.or(v128.and(high, nibble), v128.and(i8x16.shl(qh, 2), pair));
        const q2 = v128.or(i8x16.shr_u(low, 4), v128.and(qh, pair));
        const q3 = v128.or(i8x16.shr_u(high, 4), v128.and(i8x16.shr_u(qh, 2), pair));
        storeScaled(out, i8x16.sub(q0, middle), f32x4.splat(d * <f32>load<i8>(scales, 192)));
        storeScaled(out + 128, i8x16.sub(q1, middle), f32x4.splat(d * <f32>load<i8>(scales, 194)));
        storeScaled(out + 256, i8x16.sub(q2, middle), f32x4.splat(d * <f32>load<i8>(scales, 196)));
        storeScaled(out + 384, i8x16.sub(q3, middle), f32x4.splat(d * <f32>load<i8>(scales, 198)));
      }
    }
    src += 210;
    dst += 1024;
  }
}
