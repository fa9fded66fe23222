// F32 → Q1_0 (layout.ts), the arithmetic of reference.ts.
import { f32ToF16 } from '../half.wasm';

/** 128 floats each at `src` → `blocks` blocks of 18 bytes at `dst`. */
export function encodeQ1_0(src: usize, dst: usize, blocks: usize): void {
  for (let block: usize = 0; block < blocks; block++) {
    // One weight after the other, as ggml adds them: the sums of lanes would round differently.
    let sum: f32 = 0;
    for (const end = src + 512; src < end; src += 4) sum += abs(load<f32>(src));
    store<u16>(dst, f32ToF16(sum / <f32>128));
    for (let part: usize = 0; part < 8; part++) {
      const x = src - 512 + 64 * part;
      const low = i16x8.narrow_i32x4_s(positive(x), positive(x + 16));
      const high = i16x8.narrow_i32x4_s(positive(x + 32), positive(x + 48));
      store<u16>(dst + 2 * part, i8x16.bitmask(i8x16.narrow_i16x8_s(low, high)), 2);
    }
    dst += 18;
  }
}

@inline
function positive(x: usize): v128 {
  return f32x4.ge(v128.load(x), f32x4.splat(0));
}
