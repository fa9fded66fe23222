// Q5_0 (layout.ts) against activations in 8 bits: d · Σ (q − 16) · x.
import { LOW_BYTE, MINUS_16, NIBBLES } from '../activations/constants.wasm';
import { BYTES_MASK, NEXT, dotBytes } from '../activations/products.wasm';
import { f16ToF32 } from '../half.wasm';
import { fifthBits } from './fifth-bits.wasm';

/** One row's dot products. */
export function dotQ5_0(w: usize, x: usize, sums: usize, blocks: usize, out: usize, units: usize): void {
  const mask = v128.load(BYTES_MASK);
  const nibbles = v128.load(NIBBLES);
  const minus16 = v128.load(MINUS_16);
  for (const end = w + 22 * blocks; w < end; w += 22) {
    const middle = i32x4.dot_i16x8_s(v128.load32_zero(sums), minus16);
    const products = i32x4.add(
      dotBytes(lowCodes(w, nibbles), mask, x),
      dotBytes(highCodes(w, nibbles), mask, x + NEXT),
    );
    v128.store(out, i32x4.add(middle, products));
    store<f32>(units, f16ToF32(load<u16>(w)));
    x += 2 * NEXT;
    sums += 4;
    out += 128;
    units += 32;
  }
}

/** One block as integers. */
export function unpackQ5_0(src: usize, dst: usize): void {
  const lowByte = v128.load(LOW_BYTE);
  const nibbles = v128.load(NIBBLES);
  const minus16 = v128.load(MINUS_16);
  const low = lowCodes(src, nibbles);
  const high = highCodes(src, nibbles);
  v128.store(dst, i16x8.add(v128.and(low, lowByte), minus16));
  v128.store(dst, i16x8.add(i16x8.shr_u(low, 8), minus16), 16);
  v128.store(dst, i16x8.add(v128.and(high, lowByte), minus16), 32);
  v128.store(dst, i16x8.add(i16x8.shr_u(high, 8), minus16), 48);
  store<f32>(dst, f16ToF32(load<u16>(src)), 68);
}

/** Bytes q[0 … 15]. */
@inline
function lowCodes(block: usize, nibbles: v128): v128 {
  return v128.or(v128.and(v128.load(block, 6), nibbles), fifthBits(load<u32>(block, 2), 0));
}

/** Bytes q[16 … 31]. */
@inline
function highCodes(block: usize, nibbles: v128): v128 {
  return v128.or(v128.and(i16x8.shr_u(v128.load(block, 6), 4), nibbles), fifthBits(load<u32>(block, 2), 1));
}
