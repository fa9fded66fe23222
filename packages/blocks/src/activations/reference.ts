// Activations in 8 bits, as they meet quantized weights: x ≈ d · q with |q| ≤ 127 and one d per block, whose size is that
// of the weights' block. Rounding as in llama.cpp on x86-64: quantize_row_q8_0 (blocks of 32, d kept in F16) and
// quantize_row_q8_K (blocks of 256, d kept in F32; its sign, which changes no product, is left out).
import { f16ToF32, f32ToF16 } from '../half.ts';
import { nearestInt } from '../rounding.ts';

const { fround } = Math;

/** Weights per block for which activations can be rounded. */
export type ActivationBlock = 32 | 256;

/**
 * What is left of `x` (whole blocks) after rounding, every step in F32. A block with NaN or infinities becomes NaN; one so
 * small that 127 / max overflows becomes 0.
 */
export function roundActivations(x: Float32Array, blockSize: ActivationBlock): Float32Array {
  const rounded = new Float32Array(x.length);
  for (let first = 0; first < x.length; first += blockSize) {
    const block = x.subarray(first, first + blockSize);
    const max = block.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
    const inverse = fround(127 / max);
    const step = Number.isFinite(max) ? (Number.isFinite(inverse) ? stepOf(max, inverse, blockSize) : 0) : Number.NaN;
    for (let i = 0; i < blockSize; i++)
      rounded[first + i] = step === 0 ? 0 : step * nearestInt(fround(block[i]! * inverse));
  }
  return rounded;
}

/** d; where F16 would overflow (and llama.cpp does), the F32. */
function stepOf(max: number, inverse: number, blockSize: ActivationBlock): number {
  if (blockSize === 256) return fround(1 / inverse);
  const step = fround(max / 127);
  const half = f16ToF32(f32ToF16(step));
  return Number.isFinite(half) ? half : step;
}
