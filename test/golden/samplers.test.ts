// Our samplers against llama.cpp's own, token by token: each stage alone and chains of them, the same logits and seed.
import { join } from 'node:path';
import { openGguf } from '@quern/gguf';
import {
  type NativeModel,
  type NativeStage,
  nativeSampler,
  openNativeModel,
  oracleUnavailable,
} from '@quern/test-oracle';
import { overlappingTokens, type Tokenizer, tokenizerFromGguf } from '@quern/tokenizer';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gaussian, seededRandom } from '../../packages/blocks/src/testing/edge-rows.ts';
import { resolveSampling, type SamplingOptions } from '../../packages/engine/src/sampling/options.ts';
import { Sampler } from '../../packages/engine/src/sampling/sampler.ts';

const file = join(import.meta.dirname, '../models/tiny-llama/expected/llama.cpp-bf16.gguf');
const breakers = ['\n', ':', '"', '*', 'the'];

describe.skipIf(oracleUnavailable)('samplers and native llama.cpp', () => {
  let native: NativeModel;
  let tokenizer: Tokenizer;
  beforeAll(async () => {
    native = openNativeModel(file, { vocabOnly: true });
    const gguf = await openGguf(file);
    tokenizer = tokenizerFromGguf(gguf.metadata);
    await gguf.close();
  });
  afterAll(() => native.close());

  /** The chain that `common_sampler_init` would make of the options. */
  function stagesOf(options: SamplingOptions, vocabSize: number): NativeStage[] {
    const all = resolveSampling(options, vocabSize);
    const { minKeep, seed, mirostatTau: tau, mirostatEta: eta } = all;
    const bias: NativeStage[] = all.logitBias.size > 0 ? [['logit_bias', vocabSize, all.logitBias]] : [];
    if (all.mirostat === 1) return [...bias, ['temp', all.temperature], ['mirostat', vocabSize, seed, tau, eta, 100]];
    if (all.mirostat === 2) return [...bias, ['temp', all.temperature], ['mirostat_v2', seed, tau, eta]];
    const lastN = (given: number) => (given < 0 ? 4096 : given);
    const penalties = [all.repetitionPenalty, all.frequencyPenalty, all.presencePenalty] as const;
    const dry = [all.dryMultiplier, all.dryBase, all.dryAllowedLength, lastN(all.dryPenaltyLastN)] as const;
    const kinds: Record<string, NativeStage> = {
      penalties: ['penalties', vocabSize, lastN(all.penaltyLastN!), ...penalties],
      dry: ['dry', native.vocab, ...dry, breakers],
      top_n_sigma: ['top_n_sigma', all.topNSigma],
      top_k: ['top_k', all.topK],
      typ_p: ['typical', all.typicalP, minKeep],
      top_p: ['top_p', all.topP, minKeep],
      min_p: ['min_p', all.minP, minKeep],
      xtc: ['xtc', all.xtcProbability, all.xtcThreshold, minKeep, seed],
      temperature: ['temp_ext', all.temperature, all.dynamicTemperatureRange, all.dynamicTemperatureExponent],
    };
    const last: NativeStage =
      all.adaptiveTarget >= 0 ? ['adaptive_p', all.adaptiveTarget, all.adaptiveDecay, seed] : ['dist', seed];
    return [...bias, ...all.samplers.map((name) => kinds[name]!), last];
  }

  /** Both choose `steps` tokens of the same logits; a few of these are always likely, so that repetitions come up. */
  function compare(given: SamplingOptions, vocabSize: number, steps: number, seed: number): void {
    const options: SamplingOptions = { rng: 'llama.cpp', penaltyLastN: 64, ...given, seed };
    const prompt = Array.from({ length: 40 }, (_, index) => (index * index) % 11);
    const ours = new Sampler(resolveSampling(options, vocabSize), prompt, vocabSize);
    const theirs = nativeSampler(stagesOf(options, vocabSize));
    const normal = gaussian(seededRandom(seed + 1));
    try {
      for (const token of prompt) theirs.accept(token);
      const chosen: number[][] = [[], []];
      for (let step = 0; step < steps; step++) {
        const logits = Float32Array.from({ length: vocabSize }, (_, id) => 2.5 * normal() + (id < 11 ? 6 : 0));
        chosen[0]!.push(theirs.sample(logits));
        chosen[1]!.push(ours.sample(logits));
      }
      expect(chosen[1], JSON.stringify({ ...given, dryBreakers: undefined })).toEqual(chosen[0]);
    } finally {
      theirs.free();
    }
  }

  const dryBreakers = () => breakers.flatMap((text) => overlappingTokens(tokenizer, text));
  const alone: [string, () => SamplingOptions][] = [
    ['a draw', () => ({ samplers: [] })],
    [
      'logit bias',
      () => ({
        samplers: [],
        logitBias: new Map([
          [3, 9.5],
          [4, Number.NEGATIVE_INFINITY],
          [500, 7],
        ]),
      }),
    ],
    ['penalties', () => ({ repetitionPenalty: 1.3, frequencyPenalty: 0.4, presencePenalty: 0.7 })],
    ['penalties, last 5', () => ({ repetitionPenalty: 1.3, frequencyPenalty: 0.4, penaltyLastN: 5 })],
    ['penalties, all', () => ({ repetitionPenalty: 0.7, presencePenalty: -0.7, penaltyLastN: -1 })],
    ['DRY', () => ({ dryMultiplier: 0.8, temperature: 0.6 })],
    ['DRY, breakers', () => ({ dryMultiplier: 0.8, dryBase: 2, dryAllowedLength: 1, dryBreakers: dryBreakers() })],
    [
      'DRY, last 20',
      () => ({ dryMultiplier: 2, dryAllowedLength: 0, dryPenaltyLastN: 20, dryBreakers: dryBreakers() }),
    ],
    ['top-nσ', () => ({ topNSigma: 1.5 })],
    ['top-k', () => ({ topK: 40 })],
    ['top-k beyond the vocabulary', () => ({ topK: 1e6 })],
    ['typical', () => ({ typicalP: 0.6 })],
    ['top-p', () => ({ topP: 0.9 })],
    ['top-p, at least 3', () => ({ topP: 0.01, minKeep: 3 })],
    ['min-p', () => ({ minP: 0.05 })],
    ['min-p, at least 7', () => ({ minP: 0.9, minKeep: 7 })],
    ['XTC', () => ({ xtcProbability: 0.6, xtcThreshold: 0.08 })],
    ['temperature', () => ({ temperature: 0.37 })],
    ['greedy', () => ({ temperature: 0 })],
    ['greedy after XTC', () => ({ temperature: 0, xtcProbability: 0.5, xtcThreshold: 0.05 })],
    [
      'dynamic temperature',
      () => ({ temperature: 0.9, dynamicTemperatureRange: 0.7, dynamicTemperatureExponent: 1.4 }),
    ],
    ['Mirostat', () => ({ mirostat: 1, temperature: 0.9 })],
    ['Mirostat 2', () => ({ mirostat: 2, mirostatTau: 3, mirostatEta: 0.3 })],
    ['adaptive-p', () => ({ adaptiveTarget: 0.2 })],
    ['adaptive-p after top-k', () => ({ adaptiveTarget: 0.5, adaptiveDecay: 0.5, topK: 30 })],
    ['its defaults', () => ({ topK: 40, topP: 0.95, minP: 0.05, temperature: 0.8 })],
  ];
  it.each(alone)('%s', (_, options) => {
    for (const [vocabSize, seed] of [
      [2048, 1],
      [3000, 42],
      [700, 4294967294],
    ] as const)
      compare(options(), vocabSize, 60, seed);
  });

  it('any chain', () => {
    const number = (min: number, max: number) => fc.double({ min, max, noNaN: true }).map(Math.fround);
    const sometimes = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: undefined, freq: 2 });
    const names = [
      'penalties',
      'dry',
      'top_n_sigma',
      'top_k',
      'typ_p',
      'top_p',
      'min_p',
      'xtc',
      'temperature',
    ] as const;
    const options = fc.record({
      samplers: fc.shuffledSubarray([...names], { minLength: 2 }),
      temperature: number(0.1, 2),
      dynamicTemperatureRange: sometimes(number(0, 1)),
      topK: sometimes(fc.integer({ min: 1, max: 300 })),
      topP: sometimes(number(0.1, 1)),
      minP: sometimes(number(0, 0.5)),
      typicalP: sometimes(number(0.2, 1)),
      topNSigma: sometimes(number(0.3, 4)),
      xtcProbability: sometimes(number(0, 1)),
      xtcThreshold: sometimes(number(0.01, 0.4)),
      minKeep: sometimes(fc.nat(5)),
      repetitionPenalty: sometimes(number(0.8, 1.6)),
      frequencyPenalty: sometimes(number(-1, 1)),
      presencePenalty: sometimes(number(-1, 1)),
      penaltyLastN: fc.integer({ min: -1, max: 80 }),
      dryMultiplier: sometimes(number(0.1, 2)),
      dryAllowedLength: sometimes(fc.nat(4)),
      dryPenaltyLastN: sometimes(fc.integer({ min: -1, max: 60 })),
    });
    const noneWithoutProbability = {
      topNSigma: undefined,
      dryMultiplier: undefined,
      temperature: 0.7,
      dynamicTemperatureRange: undefined,
    };
    const breaking = dryBreakers();
    const chosen = fc.tuple(options, fc.integer({ min: 12, max: 2000 }), fc.nat(2 ** 32 - 2));
    fc.assert(
      fc.property(chosen, ([given, vocabSize, seed]) => {
        // A token without probability makes llama.cpp's entropy NaN, and its typical sampling meaningless.
        const usable = given.samplers.includes('typ_p') ? { ...given, ...noneWithoutProbability } : given;
        const defined = Object.entries(usable).filter(([, value]) => value !== undefined);
        compare({ ...Object.fromEntries(defined), dryBreakers: breaking }, vocabSize, 25, seed);
      }),
      { numRuns: 150 },
    );
  });
});
