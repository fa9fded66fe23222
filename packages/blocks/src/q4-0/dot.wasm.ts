// Q4_0 (layout.ts) against activations in 8 bits: d · Σ (q − 8) · x.
import { MINUS_8, WORD_NIBBLE } from '../activations/constants.wasm';
import { NEXT, NIBBLE_MASK, dotHighNibbles, dotLowNibbles } from '../activations/products.wasm';
import { f16ToF32 } from '../half.wasm';

/** One row's dot products. */
export function dotQ4_0(w: usize, x: usize, sums: usize, blocks: usize, out: usize, units: usize): void {
  const nibble = v128.load(NIBBLE_MASK);
  const minus8 = v128.load(MINUS_8);
  for (const end = w + 18 * blocks; w < end; w += 18) {
    const packed = v128.load(w, 2);
    const middle = i32x4.dot_i16x8_s(v128.load32_zero(sums), minus8);
    const products = i32x4.add(dotLowNibbles(packed, nibble, x), dotHighNibbles(packed, nibble, x + NEXT));
    v128.store(out, i32x4.add(middle, products));
    store<f32>(units, f16ToF32(load<u16>(w)));
    x += 2 * NEXT;
    sums += 4;
    out += 128;
    units += 32;
  }
}

/** One block as integers. */
export function unpackQ4_0(src: usize, dst: usize): void {
  const nibble = v128.load(WORD_NIBBLE);
  const minus8 = v128.load(MINUS_8);
  const packed = v128.load(src, 2);
  v128.store(dst, i16x8.add(v128.and(packed, nibble), minus8));
  v128.store(dst, i16x8.add(v128.and(i16x8.shr_u(packed, 8), nibble), minus8), 16);
  v128.store(dst, i16x8.add(v128.and(i16x8.shr_u(packed, 4), nibble), minus8), 32);
  v128.store(dst, i16x8.add(i16x8.shr_u(packed, 12), minus8), 48);
  store<f32>(dst, f16ToF32(load<u16>(src)), 68);
}
