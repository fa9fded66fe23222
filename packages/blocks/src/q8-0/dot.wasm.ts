// Q8_0 (layout.ts) against activations in 8 bits: d · Σ q · x.
import { NEXT, dotSignedBytes, storeSignedBytes } from '../activations/products.wasm';
import { f16ToF32 } from '../half.wasm';

/** One row's dot products. */
export function dotQ8_0(w: usize, x: usize, sums: usize, blocks: usize, out: usize, units: usize): void {
  for (const end = w + 34 * blocks; w < end; w += 34) {
    v128.store(out, i32x4.add(dotSignedBytes(v128.load(w, 2), x), dotSignedBytes(v128.load(w, 18), x + NEXT)));
    store<f32>(units, f16ToF32(load<u16>(w)));
    x += 2 * NEXT;
    out += 128;
    units += 32;
  }
}

/** One block as integers. */
export function unpackQ8_0(src: usize, dst: usize): void {
  storeSignedBytes(dst, v128.load(src, 2));
  storeSignedBytes(dst + 32, v128.load(src, 18));
  store<f32>(dst, f16ToF32(load<u16>(src)), 68);
}
