// Smallest and largest of 32 weights, from which Q4_1 and Q5_1 get scale and minimum without importance.
import { largestLane } from '../horizontal.wasm';

/** The smallest of 32 floats at `src`. */
@inline
export function smallest(src: usize): f32 {
  let lows = v128.load(src);
  for (let i: usize = 16; i < 128; i += 16) lows = f32x4.pmin(lows, v128.load(src + i));
  const minimum = -largestLane(f32x4.neg(lows));
  return minimum == 0 ? firstZero(src) : minimum;
}

/** The largest of 32 floats at `src`. */
@inline
export function largest(src: usize): f32 {
  let highs = v128.load(src);
  for (let i: usize = 16; i < 128; i += 16) highs = f32x4.pmax(highs, v128.load(src + i));
  return largestLane(highs);
}

/** Which zero is the minimum, 0 or −0: the first one, whose sign is stored. */
function firstZero(src: usize): f32 {
  for (let i: usize = 0; i < 128; i += 4) {
    const x = load<f32>(src + i);
    if (x == 0) return x;
  }
  return 0;
}
