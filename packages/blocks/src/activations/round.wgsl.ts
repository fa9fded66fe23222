// Activations in 8 bits for GPUs: the scale of a block as reference.ts computes it, to the last bit.
import { exactWgsl, SMALLEST_BITS } from '../exact.wgsl.ts';
import type { ActivationBlock } from './reference.ts';

/**
 * Defines `rounding_of(largest) -> vec2<f32>`: what a block's numbers are multiplied with before they become integers, and
 * the step that those integers stand for. `largest` holds the bits of the largest magnitude in the block. A factor of 0
 * means that all codes are 0; the step is then 0, or NaN for a block with NaN or infinities.
 */
export const roundingWgsl = (blockSize: ActivationBlock): string => `${exactWgsl}
${
  blockSize === 256
    ? `fn step_of(max: f32, factor: f32) -> f32 {
  return quotient(1.0, factor);
}`
    : `fn step_of(max: f32, factor: f32) -> f32 {
  if (max < 1e-6) { return 0.0; } // in F16
  let step = quotient(max, 127.0);
  let half = nearest_half(step);
  return select(unpack2x16float(half).x, step, half == 0x7c00u);
}`
}
fn rounding_of(largest: u32) -> vec2<f32> {
  if (largest >= 0x7f800000u) { return vec2<f32>(0.0, bitcast<f32>(largest | 0x7fc00000u)); }
  if (largest < ${SMALLEST_BITS}u) { return vec2<f32>(0.0); }
  let max = bitcast<f32>(largest);
  let factor = quotient(127.0, max);
  return vec2<f32>(factor, step_of(max, factor));
}
`;
