import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { highestOf, topLogProbs } from './log-probs.ts';
import { resolveSampling, type SamplingOptions } from './options.ts';
import { Sampler } from './sampler.ts';

const makeSampler = (options: SamplingOptions, vocabSize: number, prompt: number[] = []) =>
  new Sampler(resolveSampling(options, vocabSize), prompt, vocabSize);

const logitsOf = fc
  .array(fc.float({ min: -12, max: 12, noNaN: true }), { minLength: 2, maxLength: 40 })
  .map((values) => Float32Array.from(values));

const softmax = (logits: ArrayLike<number>, temperature = 1): number[] => {
  const weights = Array.from(logits, (x) => Math.exp((x - Math.max(...Array.from(logits))) / temperature));
  const total = weights.reduce((a, b) => a + b, 0);
  return weights.map((w) => w / total);
};
const byLikelihood = (logits: Float32Array) => [...logits.keys()].sort((a, b) => logits[b] - logits[a] || a - b);

/** Draws with fresh samplers, so that no penalty state builds up. */
function drawn(logits: Float32Array, options: SamplingOptions, draws: number): Map<number, number> {
  const sampler = makeSampler(options, logits.length);
  const counts = new Map<number, number>();
  for (let i = 0; i < draws; i++) {
    const token = sampler.sample(logits.slice());
    counts.set(token, (counts.get(token) ?? 0) + 1);
  }
  return counts;
}

describe('what may be drawn', () => {
  it('temperature 0 takes the highest logit, the lowest id on a tie', () => {
    fc.assert(
      fc.property(logitsOf, (logits) => {
        expect(makeSampler({ temperature: 0 }, logits.length).sample(logits.slice())).toBe(byLikelihood(logits)[0]);
      }),
    );
    expect(makeSampler({ temperature: 0 }, 4).sample(Float32Array.of(1, 3, 3, 2))).toBe(1);
  });

  it('top-k keeps the k most likely', () => {
    fc.assert(
      fc.property(logitsOf, fc.integer({ min: 1, max: 8 }), fc.nat(), (logits, topK, seed) => {
        const allowed = new Set(byLikelihood(logits).slice(0, topK));
        for (const token of drawn(logits, { topK, seed, temperature: 5 }, 50).keys()) expect(allowed).toContain(token);
      }),
    );
  });

  it('top-p keeps the smallest set that reaches p, whatever the temperature', () => {
    fc.assert(
      fc.property(logitsOf, fc.double({ min: 0, max: 0.999, noNaN: true }), fc.nat(), (logits, topP, seed) => {
        const p = softmax(logits);
        const allowed = new Set<number>();
        let sum = 0;
        for (const token of byLikelihood(logits)) {
          allowed.add(token);
          sum += p[token];
          if (sum >= topP + 1e-9) break; // a set that ends within rounding of p may have one more
        }
        for (const token of drawn(logits, { topP, seed, temperature: 20 }, 50).keys()) expect(allowed).toContain(token);
      }),
    );
  });

  it('min-p keeps what is at least that fraction as likely as the first', () => {
    fc.assert(
      fc.property(logitsOf, fc.double({ min: 1e-4, max: 1, noNaN: true }), fc.nat(), (logits, minP, seed) => {
        const p = softmax(logits);
        const least = Math.max(...p) * minP * (1 - 1e-6);
        for (const token of drawn(logits, { minP, seed, temperature: 20 }, 50).keys())
          expect(p[token]).toBeGreaterThanOrEqual(least);
      }),
    );
  });
});

describe('how often it is drawn', () => {
  const logits = Float32Array.of(2, 1.5, 1, 0.5, 0, -1, -3, -8);
  const draws = 40_000;
  const cases: [string, SamplingOptions, number[]][] = [
    ['temperature 1', {}, softmax(logits)],
    ['temperature 0.5', { temperature: 0.5 }, softmax(logits, 0.5)],
    ['temperature 2 after top-k 3', { temperature: 2, topK: 3 }, softmax(logits.subarray(0, 3), 2)],
    // Probabilities at temperature 1: .418 .254 .154 .093 .057 …; three reach 0.8, at temperature 2 it would take five.
    ['temperature 2 after top-p 0.8', { temperature: 2, topP: 0.8 }, softmax(logits.subarray(0, 3), 2)],
    // e^-1.5 = 0.22 of the first: four remain.
    ['temperature 2 after min-p 0.22', { temperature: 2, minP: 0.22 }, softmax(logits.subarray(0, 4), 2)],
    // Top-p looks at what top-k left: of {.506, .307, .186} two reach 0.8.
    ['top-k 3, then top-p 0.8', { topK: 3, topP: 0.8 }, softmax(logits.subarray(0, 2))],
  ];
  it.each(cases)('%s', (_, options, expected) => {
    const counts = drawn(logits, { ...options, seed: 11 }, draws);
    for (const [token, p] of expected.entries()) {
      const deviation = Math.sqrt(draws * p * (1 - p));
      expect(Math.abs((counts.get(token) ?? 0) - draws * p)).toBeLessThan(4.5 * deviation + 1);
    }
    expect([...counts.keys()].every((token) => token < expected.length)).toBe(true);
  });
});

describe('bias and penalties', () => {
  it('adds the bias; -Infinity forbids', () => {
    const sampler = makeSampler({ temperature: 0, logitBias: new Map([[0, -5]]) }, 3);
    expect(sampler.sample(Float32Array.of(6, 2, 0))).toBe(1);
    const forbidden = new Map([[0, Number.NEGATIVE_INFINITY]]);
    expect(drawn(Float32Array.of(9, 0, 0), { logitBias: forbidden, seed: 1 }, 500).has(0)).toBe(false);
  });

  it('refuses when nothing is allowed, with and without temperature', () => {
    const logitBias = new Map([0, 1].map((token) => [token, Number.NEGATIVE_INFINITY]));
    for (const temperature of [0, 1])
      expect(() => makeSampler({ temperature, logitBias }, 2).sample(Float32Array.of(1, 2))).toThrow(
        expect.objectContaining({ code: 'no-token-allowed' }),
      );
  });

  it('repetition: divides positive and multiplies negative logits of prompt and reply', () => {
    const sampler = makeSampler({ temperature: 0, repetitionPenalty: 2 }, 4, [0]);
    expect(sampler.sample(Float32Array.of(3, 1.6, 0, 0))).toBe(1); // 3 / 2 < 1.6
    expect(sampler.sample(Float32Array.of(3, 1.6, 1.4, 0))).toBe(0); // 1.5, 0.8, 1.4
    expect(sampler.sample(Float32Array.of(-1, -1, -1.5, -9))).toBe(2); // -2, -2, -1.5
  });

  it('presence once, frequency each time, only for generated tokens', () => {
    const flat = { temperature: 0, presencePenalty: 1, frequencyPenalty: 0.5 };
    const sampler = makeSampler(flat, 3, [0, 0, 0]);
    expect(sampler.sample(Float32Array.of(2, 1.9, 0))).toBe(0); // the prompt does not count
    expect(sampler.sample(Float32Array.of(2, 0.4, 0))).toBe(0); // 2 - 1.5 > 0.4
    expect(sampler.sample(Float32Array.of(2, 0.1, 0))).toBe(1); // 2 - 1 - 2 · 0.5 = 0
  });
});

describe('options', () => {
  it('repeats for one seed', () => {
    fc.assert(
      fc.property(logitsOf, fc.maxSafeNat(), (logits, seed) => {
        const run = () => {
          const sampler = makeSampler({ seed, temperature: 1.3 }, logits.length);
          return Array.from({ length: 20 }, () => sampler.sample(logits.slice()));
        };
        expect(run()).toEqual(run());
      }),
    );
  });

  it.each([
    [{ temperature: -1 }, /temperature/],
    [{ temperature: Number.NaN }, /temperature/],
    [{ topK: 1.5 }, /topK/],
    [{ topP: 1.1 }, /topP/],
    [{ minP: -0.1 }, /minP/],
    [{ seed: -1 }, /seed/],
    [{ repetitionPenalty: 0 }, /repetitionPenalty/],
    [{ frequencyPenalty: Number.POSITIVE_INFINITY }, /frequencyPenalty/],
    [{ logitBias: new Map([[9, 1]]) }, /token 9/],
    [{ logitBias: new Map([[1, Number.NaN]]) }, /logitBias/],
  ] satisfies [SamplingOptions, RegExp][])('refuses %o', (options, named) => {
    expect(() => resolveSampling(options, 9)).toThrow(expect.objectContaining({ code: 'sampling-invalid' }));
    expect(() => resolveSampling(options, 9)).toThrow(named);
  });
});

it('log probabilities are those of the whole distribution', () => {
  fc.assert(
    fc.property(logitsOf, fc.integer({ min: 1, max: 5 }), (logits, count) => {
      const p = softmax(logits);
      const top = topLogProbs(highestOf(logits, count), count);
      expect(top.map(({ token }) => token)).toEqual(byLikelihood(logits).slice(0, count));
      for (const { token, logprob } of top) expect(Math.exp(logprob)).toBeCloseTo(p[token], 6);
    }),
  );
});
