// rope_freqs.weight: what Llama 3.1's rope scaling divides each pair's frequency by. High frequencies stay (1), low ones
// are stretched by `factor`, and the band between is a smooth mix:
//   1 / ((1 - s)/factor + s),  s = (originalContext/wavelength - low) / (high - low)
// Formula: transformers modeling_rope_utils `_compute_llama3_parameters`. llama.cpp's converter computes every step in
// float32 (LlamaModel.generate_extra_tensors), so each step is rounded here as well; torch divides a number by a tensor
// as `reciprocal · number`, two roundings.
import type { Llama3Rope } from './rope-parameters.ts';

const f = Math.fround;
const divide = (number: number, by: number): number => f(f(1 / by) * f(number));

/** One factor for each of the `headDim / 2` pairs. */
export function llama3RopeFactors(rope: Llama3Rope, theta: number, headDim: number): Float32Array {
  const longest = rope.originalContext / rope.lowFreqFactor;
  const shortest = rope.originalContext / rope.highFreqFactor;
  return Float32Array.from({ length: headDim / 2 }, (_, pair) => {
    const frequency = divide(1, f(theta ** f((2 * pair) / headDim)));
    const wavelength = divide(2 * Math.PI, frequency);
    if (wavelength < f(shortest)) return 1;
    if (wavelength > f(longest)) return rope.factor;
    const excess = f(divide(rope.originalContext, wavelength) - f(rope.lowFreqFactor));
    const smooth = f(excess / f(rope.highFreqFactor - rope.lowFreqFactor));
    return divide(1, f(f(f(1 - smooth) / f(rope.factor)) + smooth));
  });
}
