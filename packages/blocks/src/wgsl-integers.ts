// dtype → WGSL that gives its weights as integers, for products with activations rounded to 8 bits on a GPU
// (activations/reference.ts). One line per room; types without one are decoded (wgsl-decoders.ts).
//
// A kernel binds the weights as `w: array<u32>` and calls
//   integers32(at, i) -> Integers   weights i … i + 31 of the block at byte `at` of `w`; i is a multiple of 32
// where weight k of the 32 is
//   units.x · (scales[k / 16] · code k − shifts[k / 16]) − units.y · least
// and the codes are signed bytes, four to a word, the first lowest.

import type { DType } from './dtype.ts';
import { q4_0Integers } from './q4-0/integers.wgsl.ts';
import { q4KIntegers } from './q4-k/integers.wgsl.ts';
import { q5_0Integers } from './q5-0/integers.wgsl.ts';
import { q5KIntegers } from './q5-k/integers.wgsl.ts';
import { q6KIntegers } from './q6-k/integers.wgsl.ts';
import { q8_0Integers } from './q8-0/integers.wgsl.ts';
import { wgslReading } from './wgsl-reading.ts';

const rooms: Readonly<Record<string, string>> = {
  Q4_0: q4_0Integers,
  Q5_0: q5_0Integers,
  Q8_0: q8_0Integers,
  Q4_K: q4KIntegers,
  Q5_K: q5KIntegers,
  Q6_K: q6KIntegers,
};

/** `Integers` and the function that reads them from weights of `dtype`, or undefined when there is none. */
export function wgslIntegers(dtype: DType): string | undefined {
  if (!Object.hasOwn(rooms, dtype.name)) return undefined;
  return `${wgslReading(dtype)}
struct Integers {
  codes: array<vec4<u32>, 2>,
  scales: vec2<i32>,
  shifts: vec2<i32>,
  least: i32,
  units: vec2<f32>,
}
${rooms[dtype.name]}`;
}
