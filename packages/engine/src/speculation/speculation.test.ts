// Replies with guesses are the replies without, token for token, whoever guesses: greedy and sampled, several at a time, on
// models whose state can be written over and on those whose state cannot, through a cache that is too small and one that is kept.
// And the guesses are worth something: a text that repeats itself, a small model that is the large one, a model's own draft blocks.
import { fileURLToPath } from 'node:url';
import { loadModel, type Model, openModel } from '@quern/models';
import { referenceDevice } from '@quern/runtime';
import { afterAll, describe, expect, it } from 'vitest';
import { EngineCore } from '../core.ts';
import type { FinishEvent, GenerateOptions } from '../request.ts';
import type { GuessSource } from './guess-source.ts';
import { ModelSource } from './model-source.ts';
import { MtpSource } from './mtp-source.ts';
import { NgramSource } from './ngram-source.ts';
import { Speculation } from './speculation.ts';

const pathOf = (name: string) => fileURLToPath(new URL(`../../../../test/models/arch/${name}`, import.meta.url));
const device = referenceDevice();
afterAll(() => device.dispose());

const sizes = { batchTokens: 32, cells: 64, blockTokens: 8, sequenceCells: 40, maxSequences: 3, maxOutputs: 20 };
const contextTokens = 40;
const many = { maxDrafts: 4, minProbability: 0, minDrafts: 0 };

const repeating = Array.from({ length: 18 }, (_, i) => [5, 9, 100, 7, 300][i % 5]!);
const prompts = [repeating, Array.from({ length: 13 }, (_, i) => (i * 37) % 512), [300]];
const styles: GenerateOptions[] = [
  { maxTokens: 16, sampling: { temperature: 0 } },
  { maxTokens: 14, sampling: { temperature: 0.9, topP: 0.95, seed: 7, repetitionPenalty: 1.1 } },
  { maxTokens: 12, sampling: { temperature: 0.3, seed: 3 } },
];

async function load(name: string, draft = false): Promise<Model> {
  const view = await openModel(pathOf(name));
  try {
    return await loadModel(view, device, { ...sizes, draft });
  } finally {
    await view.close();
  }
}

/** Guesses are made whatever they cost: on the reference device they never pay. */
const eager = { learn: () => {}, known: undefined };

interface Told {
  readonly tokens: number[][];
  readonly ends: FinishEvent[];
  readonly stats: EngineCore['stats'];
}

interface Run {
  readonly sources?: readonly GuessSource[];
  readonly styles?: readonly GenerateOptions[];
  /** The prompts are sent so often; what is kept of the first time serves the second. */
  readonly rounds?: number;
}

async function replies(model: Model, { sources, styles: given = styles, rounds = 1 }: Run): Promise<Told> {
  const drafter = sources && new Speculation(sources, many, eager);
  const core = new EngineCore(model, { contextTokens, cacheRamBytes: 1e7, ...(drafter && { drafter }) });
  const told = { tokens: [] as number[][], ends: [] as FinishEvent[] };
  for (let round = 0; round < rounds; round++) {
    for (const [i, prompt] of prompts.entries()) {
      const mine: number[] = [];
      told.tokens.push(mine);
      core.submit(Int32Array.from(prompt), given[i]!, (outcome) => {
        if (!('event' in outcome)) throw outcome.error;
        if ('token' in outcome.event) mine.push(outcome.event.token);
        else told.ends.push(outcome.event);
      });
    }
    while (!core.idle) await core.step();
  }
  expect(core.freeBlocks).toBe(model.blocks);
  return { ...told, stats: core.stats };
}

const sourcesOf = (model: Model, small: Model): Record<string, readonly GuessSource[]> => ({
  'n-grams': [new NgramSource({ ngramSize: 1, ngramDrafts: 6 })],
  'a small model': [new ModelSource(small, model.hyperparameters.vocabSize, many)],
  ...(model.draft && { 'draft blocks': [new MtpSource(model, many)] }),
  'n-grams, then a small model': [
    new NgramSource({ ngramSize: 2, ngramDrafts: 6 }),
    new ModelSource(small, model.hyperparameters.vocabSize, many),
  ],
});

describe.each([
  ['llama3', 'llama3'],
  ['llama3', 'qwen35'],
  ['qwen35', 'qwen35'],
  ['qwen35', 'llama3'],
])('%s, guessed for by %s', (name, smallName) => {
  it('replies as without guesses, whoever guesses', async () => {
    const model = await load(name, name === 'qwen35');
    const small = await load(smallName);
    const plain = await replies(model, { rounds: 2 });
    for (const [who, sources] of Object.entries(sourcesOf(model, small))) {
      const guessed = await replies(model, { sources, rounds: 2 });
      expect(guessed.tokens, who).toEqual(plain.tokens);
      const { speculation } = guessed.stats;
      expect(speculation!.guessed, who).toBeGreaterThan(0);
      expect(
        guessed.ends.reduce((sum, { draftTokens }) => sum + draftTokens, 0),
        who,
      ).toBe(speculation!.guessed);
      expect(
        guessed.ends.reduce((sum, { acceptedTokens }) => sum + acceptedTokens, 0),
        who,
      ).toBe(speculation!.accepted);
      if (who === 'a small model' && name === smallName) {
        // It is the large one: its greedy guesses are the greedy reply's tokens.
        const greedy = guessed.ends.find(({ generatedTokens }) => generatedTokens === styles[0]!.maxTokens)!;
        expect(greedy.acceptedTokens).toBe(greedy.draftTokens);
        expect(greedy.acceptedTokens).toBeGreaterThan(0);
      }
    }
    small.dispose();
    model.dispose();
  });
});

it('a small model reads a prompt once, and not for each of its branches or for who begins with it later', async () => {
  const model = await load('llama3');
  const loaded = await load('llama3');
  let read = 0;
  const small: Model = {
    ...loaded,
    prefill: (batch) => {
      read += batch.tokens.length;
      return loaded.prefill(batch);
    },
    forward: (batch) => {
      read += batch.tokens.length;
      return loaded.forward(batch);
    },
  };
  const speculation = new Speculation([new ModelSource(small, 512, many)], many, eager);
  const core = new EngineCore(model, { contextTokens, cacheRamBytes: 1e7, drafter: speculation });
  const prompt = Int32Array.from({ length: 30 }, (_, i) => (i * 37) % 512);
  const run = async (count: number): Promise<number> => {
    const before = read;
    const emits = Array.from({ length: count }, () => () => {});
    core.submitBranches(prompt, { maxTokens: 4, sampling: { temperature: 0 } }, emits);
    while (!core.idle) await core.step();
    return read - before;
  };
  const first = await run(1);
  expect(first).toBeGreaterThan(30);
  // What lies behind the last whole block is read anew.
  expect(await run(1)).toBeLessThanOrEqual(first - 24);
  expect(await run(2)).toBeLessThanOrEqual(2 * (first - 24));
  model.dispose();
  loaded.dispose();
});

it('a request may ask for none, or for fewer', async () => {
  const model = await load('llama3');
  const sources = [new ModelSource(await load('llama3'), 512, many)];
  const asked = await replies(model, {
    sources,
    styles: styles.map((style, i) => ({ ...style, maxDrafts: [0, 1, 2][i]! })),
  });
  const byLength = (tokens: number) => asked.ends.find(({ generatedTokens }) => generatedTokens === tokens)!;
  expect(byLength(16).draftTokens).toBe(0);
  expect(byLength(14).draftTokens).toBeGreaterThan(0);
  expect(asked.tokens).toEqual((await replies(model, {})).tokens);
  model.dispose();
});

it('what a request leaves behind that ends among its guesses is right, also of a state that cannot be written over', async () => {
  const loaded = await load('qwen35');
  let onForward = (): void => {};
  const model: Model = {
    ...loaded,
    forward(batch) {
      onForward();
      return loaded.forward(batch);
    },
  };
  const prompt = Int32Array.from(repeating);
  const run = async (core: EngineCore, tokens: Int32Array, stopTokens: number[] = [], cancelAt = 0) => {
    const reply: number[] = [];
    const options = { maxTokens: 12, sampling: { temperature: 0 }, stopTokens };
    const sequence = core.submit(tokens, options, (outcome) => {
      if ('event' in outcome && 'token' in outcome.event) reply.push(outcome.event.token);
    });
    let passes = 0;
    onForward = () => {
      if (++passes === cancelAt) core.cancel(sequence);
    };
    while (!core.idle) await core.step();
    return reply;
  };
  /** Always four guesses, the last ones wrong. */
  const source = (known: readonly number[], right: number): GuessSource => ({
    type: 'ngram-simple',
    maxDrafts: 4,
    guess: async (wanted) =>
      wanted.map(({ sequence: { generated }, most }) =>
        Array.from({ length: most }, (_, i) => (i < right ? (known[generated + i] ?? 0) : 511 - i)),
      ),
  });
  const coreOf = (drafter?: Speculation) =>
    new EngineCore(model, { contextTokens, cacheRamBytes: 1e7, ...(drafter && { drafter }) });
  const expected = await run(coreOf(), prompt);
  const longer = Int32Array.from([...prompt, ...expected.slice(0, 9)]);
  const goesOn = await run(coreOf(), longer);
  for (const right of [0, 2])
    for (const end of [1, 3, 6]) {
      const stop = expected.slice(end, end + 1);
      const length = expected.indexOf(stop[0]!);
      for (const [stopTokens, cancelAt] of [
        [stop, 0],
        [[], end],
      ] as const) {
        const core = coreOf(new Speculation([source(expected, right)], many, eager));
        const begun = await run(core, prompt, [...stopTokens], cancelAt);
        expect(begun).toEqual(expected.slice(0, cancelAt > 0 ? begun.length : length));
        expect(await run(core, longer), `${right} right, end ${end}, ${cancelAt}`).toEqual(goesOn);
        expect(core.freeBlocks).toBe(model.blocks);
      }
    }
  model.dispose();
});
