// Samplers that look at the likeliest tokens alone choose what they choose from all logits, draw by draw, whatever the chain, and
// tell how likely each token was then.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { highestOf } from './log-probs.ts';
import { resolveSampling, type SamplingOptions } from './options.ts';
import { Random } from './random.ts';
import { Sampler } from './sampler.ts';
import { stageNames } from './stages/index.ts';

const VOCAB = 60;

/** Some are equal to others, and zeros of both signs. */
function rowsOf(seed: number, count: number): Float32Array[] {
  const random = Random.seeded(seed);
  const value = (): number => {
    const kind = random.nextFloat();
    if (kind < 0.3) return Math.round(random.nextFloat() * 6) - 3;
    return kind < 0.4 ? -0 : (random.nextFloat() - 0.5) * 12;
  };
  return Array.from({ length: count }, () => Float32Array.from({ length: VOCAB }, value));
}

const orders = fc.shuffledSubarray([...stageNames], { minLength: 1 });
const chains: fc.Arbitrary<SamplingOptions> = fc.record(
  {
    samplers: fc.oneof(
      orders,
      orders.map((names) => ['top_k' as const, ...names.filter((name) => name !== 'top_k')]),
    ),
    temperature: fc.constantFrom(0, 0.3, 1, 2),
    dynamicTemperatureRange: fc.constantFrom(0, 0.5),
    topK: fc.integer({ min: 0, max: VOCAB + 5 }),
    topP: fc.constantFrom(1, 0.9, 0.5),
    minP: fc.constantFrom(0, 0.05),
    typicalP: fc.constantFrom(1, 0.7),
    topNSigma: fc.constantFrom(0, 1),
    xtcProbability: fc.constantFrom(0, 0.5),
    minKeep: fc.integer({ min: 0, max: 3 }),
    mirostat: fc.constantFrom(0, 0, 0, 1, 2),
    adaptiveTarget: fc.constantFrom(-1, -1, 0.4),
    repetitionPenalty: fc.constantFrom(1, 1, 1.3),
    presencePenalty: fc.constantFrom(0, 0, 0.5),
    dryMultiplier: fc.constantFrom(0, 0, 0.8),
    rng: fc.constantFrom('quern' as const, 'llama.cpp' as const),
    seed: fc.nat(2 ** 31),
  },
  { requiredKeys: ['seed'] },
);

it('chooses the same from the likeliest tokens as from all', () => {
  const [counted, whole] = [{ few: 0 }, { all: 0 }];
  fc.assert(
    fc.property(chains, fc.nat(2 ** 20), fc.nat(20), (options, seed, more) => {
      const resolved = resolveSampling(options, VOCAB);
      const [fromAll, fromFew] = [0, 1].map(() => new Sampler(resolved, [1, 2, 3, 1, 2], VOCAB));
      const { needs } = fromFew!;
      if (needs === undefined) {
        whole.all++;
        return;
      }
      counted.few++;
      for (const row of rowsOf(seed, 12)) {
        const few = highestOf(row, needs + more);
        expect(fromFew!.sample(few)).toBe(fromAll!.sample(row.slice()));
      }
    }),
    { numRuns: 1500 },
  );
  expect(counted.few).toBeGreaterThan(300);
  expect(whole.all).toBeGreaterThan(300);
});

describe('needs', () => {
  const needsOf = (options: SamplingOptions) => new Sampler(resolveSampling(options, VOCAB), [], VOCAB).needs;
  it.each<[string, SamplingOptions, number | undefined]>([
    ['one token to be greedy', { temperature: 0 }, 1],
    ['one, though other stages are on that keep the best', { temperature: 0, topP: 0.9, topK: 40 }, 1],
    ['those of top-k', { topK: 40, topP: 0.9 }, 40],
    ['those of top-k before penalties', { samplers: ['top_k', 'penalties'], topK: 7, presencePenalty: 1 }, 7],
    ['all to draw freely', {}, undefined],
    ['all where penalties come first', { topK: 40, presencePenalty: 1 }, undefined],
    ['all where a greedy choice has penalties', { temperature: 0, repetitionPenalty: 1.1 }, undefined],
    ['all where top-p comes first', { samplers: ['top_p', 'top_k'], topK: 40, topP: 0.9 }, undefined],
    ['all with a bias', { temperature: 0, logitBias: new Map([[1, -1]]) }, undefined],
    ['all for Mirostat', { mirostat: 2, topK: 40 }, undefined],
  ])('%s', (_, options, expected) => {
    expect(needsOf(options)).toBe(expected);
  });
});

describe('probabilities after the stages', () => {
  const row = Float32Array.of(1, 3, 2, 0, 3);
  const tell = (options: SamplingOptions, count: number, logits: Float32Array) =>
    new Sampler(resolveSampling({ seed: 4, ...options }, logits.length), [], logits.length).sampleAndTell(
      logits.slice(),
      count,
    );

  it('are a softmax of what top-k and temperature leave', () => {
    const { token, probability, likeliest } = tell({ topK: 3, temperature: 0.5 }, 5, row);
    const weights = [3, 3, 2].map((logit) => Math.exp(logit / 0.5));
    const total = weights.reduce((a, b) => a + b);
    expect(likeliest.map((one) => one.token)).toEqual([1, 4, 2]);
    for (const [i, one] of likeliest.entries()) expect(one.probability).toBeCloseTo(weights[i]! / total, 6);
    expect(probability).toBe(likeliest.find((one) => one.token === token)!.probability);
  });

  it('of a greedy choice are 1', () => {
    expect(tell({ temperature: 0 }, 3, row)).toEqual({
      ...{ token: 1, probability: 1 },
      likeliest: [{ token: 1, probability: 1 }],
    });
    expect(tell({ temperature: 0 }, 0, row).likeliest).toEqual([]);
  });

  it('add up to 1, fall, and belong to the token that would have been chosen without telling', () => {
    fc.assert(
      fc.property(chains, fc.nat(2 ** 20), (options, seed) => {
        const resolved = resolveSampling(options, VOCAB);
        const [silent, telling] = [0, 1].map(() => new Sampler(resolved, [], VOCAB));
        for (const logits of rowsOf(seed, 4)) {
          const told = telling!.sampleAndTell(logits.slice(), VOCAB);
          expect(told.token).toBe(silent!.sample(logits.slice()));
          const all = told.likeliest.map((one) => one.probability);
          expect(all.reduce((a, b) => a + b)).toBeCloseTo(1, 4);
          expect(all).toEqual([...all].sort((a, b) => b - a));
          expect(told.likeliest.find((one) => one.token === told.token)!.probability).toBe(told.probability);
        }
      }),
    );
  });
});
