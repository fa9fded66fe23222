// Rotary position embedding: the angles of every position, computed on the host once per batch.
//   angle[t, i] = position[t] · f[i],  f[i] = base^(-2i / rotaryDim), changed by the model's scaling
//   cos/sin[t, i] = cos/sin(angle[t, i]) · attentionFactor
// The steps are rounded to f32 one by one because transformers computes them so (modeling_rope_utils.py): at position
// 100,000 an angle kept in f64 is already another angle. Llama 3's scaling arrives as one divisor per frequency
// (the GGUF tensor `rope_freqs.weight`), which is how llama.cpp stores it.
import { QuernError } from '@quern/errors';
import type { BlockSpec } from './network.ts';
import { partsOf } from './network.ts';

/** How positions beyond the trained context are mapped (llama.cpp `llama_rope_scaling_type`). */
export interface RopeScaling {
  type: 'none' | 'linear' | 'yarn';
  /** Context extension: positions are divided by it. 1 for `none`. */
  factor: number;
  /** Context length before extension, in tokens. */
  originalContext: number;
  /** Multiplies cos and sin (`rope.scaling.attn_factor`). 1 unless the file says otherwise. */
  attnFactor: number;
  /** yarn: mix between interpolation (0) and extrapolation (1). */
  yarnExtFactor: number;
  /** yarn: the whole factor on cos and sin; undefined: 0.1 · ln(factor) + 1. */
  yarnAttnFactor?: number;
  yarnBetaFast: number;
  yarnBetaSlow: number;
  /** yarn: false where the ends of its range are not rounded to whole dimensions. */
  yarnTruncate?: false;
  /** yarn: 0 when the file has none. */
  yarnLogMultiplier: number;
}

/** One kind of rope. Blocks whose specs say the same share a table of cos and sin. */
export interface RopeSpec {
  readonly base: number;
  /** How many scalars of each head are rotated; even. */
  readonly dims: number;
  /** Which pairs are rotated: `norm` (x[2i], x[2i+1]), `neox` (x[i], x[i + dims/2]). */
  readonly style: 'norm' | 'neox';
  readonly scaling: RopeScaling;
  /** Name of a tensor [dims / 2] of divisors of the frequencies (`rope_freqs.weight`). */
  readonly divisors?: string;
  /** In place of `divisors`: those of contexts up to `above` tokens, and those of longer ones. */
  readonly byContext?: { readonly short: string; readonly long: string; readonly above: number };
}

/** Equal for ropes whose tables are equal. */
export function ropeKey(rope: RopeSpec): string {
  const { base, dims, scaling, divisors, byContext } = rope;
  const key = keys.get(rope) ?? JSON.stringify([base, dims, Object.entries(scaling).sort(), divisors, byContext]);
  keys.set(rope, key); // every block of every batch asks
  return key;
}

const keys = new WeakMap<RopeSpec, string>();

/** The ropes of some blocks by `ropeKey`. A mixer with rope calls its spec `rope`. */
export function distinctRopes(blocks: readonly BlockSpec[]): Map<string, RopeSpec> {
  const ropes = new Map<string, RopeSpec>();
  for (const { room } of blocks.flatMap(partsOf))
    if ('rope' in room && room.rope) ropes.set(ropeKey(room.rope), room.rope);
  return ropes;
}

export type RopeParameters = Pick<RopeSpec, 'base' | 'dims' | 'scaling'>;

export interface RopeFrequencies {
  /** [dims / 2], radians per position. */
  readonly inverse: Float32Array;
  /** Multiplies cos and sin. */
  readonly attentionFactor: number;
}

const f32 = Math.fround;

/**
 * `divisors`: `rope_freqs.weight` [dims / 2].
 * @throws QuernError `rope-invalid` when a divisor is no positive number, `rope-unsupported` for an unknown scaling type.
 */
export function ropeFrequencies(parameters: RopeParameters, divisors?: Float32Array): RopeFrequencies {
  const { dims, base, scaling } = parameters;
  const powers = new Float32Array(dims / 2); // base^(2i / rotaryDim)
  for (let i = 0; i < powers.length; i++) powers[i] = f32(base) ** f32((2 * i) / dims);
  const inverse = scaledInverse(powers, parameters);
  if (divisors) {
    if (divisors.length !== inverse.length || !divisors.every((divisor) => divisor > 0 && divisor < Infinity))
      throw new QuernError('rope-invalid', `rope_freqs must hold ${inverse.length} positive numbers.`, {
        tensor: 'rope_freqs.weight',
      });
    for (let i = 0; i < inverse.length; i++) inverse[i] /= divisors[i];
  }
  return { inverse, attentionFactor: f32(attentionFactor(scaling)) };
}

function scaledInverse(powers: Float32Array, parameters: RopeParameters): Float32Array {
  const { type, factor, yarnExtFactor } = parameters.scaling;
  switch (type) {
    case 'none':
      return powers.map((power) => 1 / power);
    case 'linear':
      return powers.map((power) => f32(1 / power) / f32(factor));
    case 'yarn': {
      const ramp = yarnRamp(parameters);
      return powers.map((power, i) => {
        const interpolated = f32(1 / f32(f32(factor) * power));
        const extrapolated = f32(1 / power);
        const share = f32(ramp[i] * yarnExtFactor);
        return f32(interpolated * f32(1 - share)) + f32(extrapolated * share);
      });
    }
    default:
      throw new QuernError('rope-unsupported', `Rope scaling type '${type satisfies never}' is not supported.`);
  }
}

/** YaRN (arXiv 2309.00071 §3.2): 1 where a frequency keeps its value, 0 where it is divided by the factor. */
function yarnRamp({ dims, base, scaling }: RopeParameters): Float32Array {
  const { originalContext, yarnBetaFast, yarnBetaSlow, yarnTruncate = true } = scaling;
  // The dimension that turns `rotations` times over the original context.
  const dimensionOf = (rotations: number): number =>
    (dims * Math.log(originalContext / (rotations * 2 * Math.PI))) / (2 * Math.log(base));
  const [first, last] = [dimensionOf(yarnBetaFast), dimensionOf(yarnBetaSlow)];
  const low = Math.max(yarnTruncate ? Math.floor(first) : first, 0);
  const high = Math.min(yarnTruncate ? Math.ceil(last) : last, dims - 1);
  const width = low === high ? 0.001 : high - low; // as transformers, instead of a division by zero
  return Float32Array.from({ length: dims / 2 }, (_, i) => f32(1 - Math.min(1, Math.max(0, f32((i - low) / width)))));
}

/** YaRN also raises the temperature of attention (§3.4), by 0.1 · ln(factor) + 1 unless the model says otherwise. */
function attentionFactor(scaling: RopeScaling): number {
  const { type, factor, attnFactor, yarnExtFactor, yarnAttnFactor, yarnLogMultiplier } = scaling;
  if (type !== 'yarn') return attnFactor;
  if (yarnAttnFactor !== undefined) return attnFactor * yarnAttnFactor;
  if (yarnExtFactor === 0) return attnFactor;
  const temperature = (multiplier: number): number => (factor <= 1 ? 1 : 0.1 * multiplier * Math.log(factor) + 1);
  return (attnFactor * temperature(1)) / (yarnLogMultiplier === 0 ? 1 : temperature(yarnLogMultiplier));
}

/** Fills `cos` and `sin`, both [positions.length, dims / 2]. */
export function fillRope(rope: RopeFrequencies, positions: Int32Array, cos: Float32Array, sin: Float32Array): void {
  const { inverse, attentionFactor } = rope;
  const half = inverse.length;
  for (let t = 0; t < positions.length; t++) {
    for (let i = 0; i < half; i++) {
      const angle = f32(positions[t] * inverse[i]);
      cos[t * half + i] = f32(Math.cos(angle)) * attentionFactor;
      sin[t * half + i] = f32(Math.sin(angle)) * attentionFactor;
    }
  }
}
