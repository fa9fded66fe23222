import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { llama3RopeFactors } from '../lens/rope-freqs.ts';
import { fillRope, type RopeParameters, type RopeScaling, ropeFrequencies } from './rope.ts';

interface Recorded {
  parameters: Record<string, number> & { rope_type: string };
  inverse: number[];
  attentionFactor: number;
  cos: number[][];
  sin: number[][];
}
const golden = JSON.parse(
  readFileSync(new URL('../../../../test/golden/data/forward/rope.json', import.meta.url), 'utf8'),
) as { dimension: number; positions: number[]; ropes: Record<string, Recorded> };

const unscaled: RopeScaling = {
  type: 'none',
  factor: 1,
  originalContext: 4096,
  attnFactor: 1,
  yarnExtFactor: 1,
  yarnBetaFast: 32,
  yarnBetaSlow: 1,
  yarnLogMultiplier: 0,
};
const parametersOf = ({ parameters }: Recorded): RopeParameters => ({
  dims: golden.dimension,
  base: parameters.rope_theta,
  scaling: {
    ...unscaled,
    type: parameters.rope_type === 'yarn' || parameters.rope_type === 'linear' ? parameters.rope_type : 'none',
    factor: parameters.factor ?? 1,
    originalContext: parameters.original_max_position_embeddings ?? 4096,
  },
});

describe('rope against transformers', () => {
  for (const [name, recorded] of Object.entries(golden.ropes)) {
    const { parameters } = recorded;
    const divisors =
      name === 'llama3'
        ? llama3RopeFactors(
            {
              factor: parameters.factor,
              lowFreqFactor: parameters.low_freq_factor,
              highFreqFactor: parameters.high_freq_factor,
              originalContext: parameters.original_max_position_embeddings,
            },
            parameters.rope_theta,
            golden.dimension,
          )
        : undefined;
    const rope = ropeFrequencies(parametersOf(recorded), divisors);

    it(`${name}: inverse frequencies`, () => {
      expect(rope.attentionFactor).toBeCloseTo(recorded.attentionFactor, 6);
      if (name === 'default' || name === 'linear') expect([...rope.inverse]).toEqual(recorded.inverse);
      // yarn mixes and llama3 divides in another order of roundings: 2 units in the last place.
      for (const [i, value] of rope.inverse.entries())
        expect(Math.abs(value / recorded.inverse[i] - 1)).toBeLessThan(2.5e-7);
    });

    it(`${name}: cos and sin`, () => {
      const half = rope.inverse.length;
      const cos = new Float32Array(golden.positions.length * half);
      const sin = new Float32Array(cos.length);
      fillRope(rope, Int32Array.from(golden.positions), cos, sin);
      for (const [p, position] of golden.positions.entries())
        for (let i = 0; i < half; i++) {
          // An angle that differs in its last place is off by up to position · 2^-24.
          const tolerance = 3e-7 + (name === 'default' || name === 'linear' ? 0 : position * 1.2e-7);
          expect(Math.abs(cos[p * half + i] - recorded.cos[p][i])).toBeLessThan(tolerance);
          expect(Math.abs(sin[p * half + i] - recorded.sin[p][i])).toBeLessThan(tolerance);
        }
    });
  }

  it('refuses divisors that are not positive numbers', () => {
    const parameters = parametersOf(golden.ropes.default);
    for (const bad of [0, -1, Number.NaN, Number.POSITIVE_INFINITY])
      expect(() => ropeFrequencies(parameters, new Float32Array(64).fill(bad))).toThrow(
        expect.objectContaining({ code: 'rope-invalid', tensor: 'rope_freqs.weight' }),
      );
    expect(() => ropeFrequencies(parameters, new Float32Array(63).fill(1))).toThrow(/64 positive/);
  });
});
