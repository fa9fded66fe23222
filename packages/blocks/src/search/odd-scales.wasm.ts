// odd-scales.ts on the scales of one block.
import { nearestInt } from '../rounding.wasm';

/** Sixteen scales at most, as found for the sub-blocks of a block. */
export const SUB_SCALES = memory.data(64, 16);

/** F16 d of a block on which ggml ends the program: it decodes to NaN. */
export const NAN_SCALE: u16 = 0xfe00;

/** The largest of the first `count` scales. */
@inline
export function largestScale(count: usize): f32 {
  let largest: f32 = 0;
  for (let i: usize = 0; i < 4 * count; i += 4) {
    const scale = load<f32>(SUB_SCALES + i);
    if (scale > largest) largest = scale;
  }
  return largest;
}

/** sc of scale `j` in units of `d`. */
@inline
export function oddCode(j: usize, d: f32, maxCode: i32): u32 {
  const inverse: f32 = <f32>1 / d;
  const nearest = nearestInt(<f32>0.5 * (inverse * load<f32>(SUB_SCALES + 4 * j) - <f32>1));
  return max<i32>(0, min<i32>(maxCode, nearest));
}
