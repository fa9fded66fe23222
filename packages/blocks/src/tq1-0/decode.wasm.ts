// TQ1_0 → F32 (layout.ts): x = d · (q − 1).
import { f16ToF32 } from '../half.wasm';
import { storeScaled } from '../scaled.wasm';

/** `blocks` blocks of 54 bytes at `src` → 256 floats each at `dst`. */
export function decodeTQ1_0(src: usize, dst: usize, blocks: usize): void {
  for (let block: usize = 0; block < blocks; block++) {
    const d = f32x4.splat(f16ToF32(load<u16>(src, 52)));
    storeFive(dst, 128, v128.load(src), d);
    storeFive(dst + 64, 128, v128.load(src, 16), d);
    storeFive(dst + 640, 64, v128.load(src, 32), d);
    storeFour(dst + 960, load<u32>(src, 48), d);
    src += 54;
    dst += 1024;
  }
}

/** Five codes out of each of sixteen bytes; those of one place go to sixteen floats, `stride` bytes after the last ones. */
@inline
function storeFive(dst: usize, stride: usize, bytes: v128, d: v128): void {
  let rest = bytes;
  for (let n: usize = 0; n < 5; n++) {
    storeScaled(dst + n * stride, i8x16.sub(firstCode(rest), i8x16.splat(1)), d);
    rest = i8x16.add(rest, i8x16.add(rest, rest));
  }
}

/** Four codes out of each of four bytes → 16 floats. */
@inline
function storeFour(dst: usize, bytes: u32, d: v128): void {
  // Multiplying without carry between bytes: times 1, 3, 9 and 27 modulo 256.
  const word = i32x4.splat(bytes);
  const even = v128.and(word, i16x8.splat(0xff));
  const odd = i16x8.shr_u(word, 8);
  const powers = i16x8(1, 1, 3, 3, 9, 9, 27, 27);
  const rest = v128.or(
    v128.and(i16x8.mul(even, powers), i16x8.splat(0xff)),
    i16x8.shl(i16x8.mul(odd, powers), 8),
  );
  storeScaled(dst, i8x16.sub(firstCode(rest), i8x16.splat(1)), d);
}

/** (byte · 3) >> 8 of each byte: how often three times the byte reaches 256. */
@inline
function firstCode(bytes: v128): v128 {
  const atLeastOne = i8x16.ge_u(bytes, i8x16.splat(86)); // 86 · 3 = 258
  const two = i8x16.ge_u(bytes, i8x16.splat(-85)); // 171 · 3 = 513
  return i8x16.neg(i8x16.add(atLeastOne, two));
}
