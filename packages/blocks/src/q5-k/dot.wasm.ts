// Q5_K (layout.ts) against activations in 8 bits: d · Σ sc · q · x − dmin · Σ m · x.
import { FIFTH, LOW_BYTE, NIBBLES } from '../activations/constants.wasm';
import {
  BYTES_MASK,
  NEXT,
  dotBytes,
  dropTwoScales,
  firstTwoScales,
  scaleSums,
  storeScaledBytes,
} from '../activations/products.wasm';
import { dotMins, storeMins, storeUnits, widen } from '../q4-k/dot.wasm';
import { minBytes, scaleBytes } from '../q4-k/layout.wasm';

/** One row's dot products. */
export function dotQ5_K(w: usize, x: usize, sums: usize, blocks: usize, out: usize, units: usize): void {
  const mask = v128.load(BYTES_MASK);
  const nibbles = v128.load(NIBBLES);
  const fifth = v128.load(FIFTH);
  for (const end = w + 176 * blocks; w < end; w += 176) {
    let scales = widen(scaleBytes(w + 4));
    let sum = i32x4.splat(0);
    let bitsA = v128.load(w, 16);
    let bitsB = v128.load(w, 32);
    let qs = w + 48;
    for (const last = w + 176; qs < last; qs += 32) {
      const a = v128.load(qs);
      const b = v128.load(qs, 16);
      // Eight weights of at most 31 · 127 each per lane fit 16 bits.
      const low = i32x4.add(
        dotBytes(lowCodes(a, bitsA, nibbles, fifth), mask, x),
        dotBytes(lowCodes(b, bitsB, nibbles, fifth), mask, x + NEXT),
      );
      const high = i32x4.add(
        dotBytes(highCodes(a, bitsA, nibbles, fifth), mask, x + 2 * NEXT),
        dotBytes(highCodes(b, bitsB, nibbles, fifth), mask, x + 3 * NEXT),
      );
      sum = i32x4.add(sum, scaleSums(low, high, firstTwoScales(scales)));
      scales = dropTwoScales(scales);
      bitsA = i16x8.shr_u(bitsA, 2);
      bitsB = i16x8.shr_u(bitsB, 2);
      x += 4 * NEXT;
    }
    v128.store(out, sum);
    v128.store(out, dotMins(widen(minBytes(w + 4)), sums), 64);
    storeUnits(w, units);
    sums += 32;
    out += 128;
    units += 32;
  }
}

/** One block as integers: sc · q, then m for every 16 weights. */
export function unpackQ5_K(src: usize, dst: usize): void {
  const lowByte = v128.load(LOW_BYTE);
  const nibbles = v128.load(NIBBLES);
  const fifth = v128.load(FIFTH);
  let scales = scaleBytes(src + 4);
  let codes = dst;
  for (let pair: usize = 0; pair < 4; pair++) {
    const low = i16x8.splat(<i16>(scales & 63));
    const high = i16x8.splat(<i16>((scales >> 8) & 63));
    for (let half: usize = 0; half < 32; half += 16) {
      const packed = v128.load(src + 32 * pair + half, 48);
      const bits = i16x8.shr_u(v128.load(src + half, 16), 2 * <i32>pair);
      storeScaledBytes(codes + 2 * half, lowCodes(packed, bits, nibbles, fifth), lowByte, low);
      storeScaledBytes(codes + 2 * half + 64, highCodes(packed, bits, nibbles, fifth), lowByte, high);
    }
    scales >>= 16;
    codes += 128;
  }
  storeMins(dst + 512, widen(minBytes(src + 4)));
  storeUnits(src, dst + 544, 4);
}

/** Sixteen codes of the even sub-block; their fifth bits are the lowest of each byte of `bits`. */
@inline
function lowCodes(packed: v128, bits: v128, nibbles: v128, fifth: v128): v128 {
  return v128.or(v128.and(packed, nibbles), v128.and(i16x8.shl(bits, 4), fifth));
}

/** Sixteen codes of the odd sub-block; their fifth bits are the next ones. */
@inline
function highCodes(packed: v128, bits: v128, nibbles: v128, fifth: v128): v128 {
  return v128.or(v128.and(i16x8.shr_u(packed, 4), nibbles), v128.and(i16x8.shl(bits, 3), fifth));
}
