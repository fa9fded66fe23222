// Beam search in the engine: against what transformers recorded on tiny-llama, and against the same choice with every text
// computed anew, so that sharing and copying of blocks and slots changes nothing.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { loadModel, type Model, openModel, sequenceLogits } from '@quern/models';
import { cpuDevice, type Device, referenceDevice } from '@quern/runtime';
import { afterAll, describe, expect, it } from 'vitest';
import { EngineCore } from '../core.ts';
import type { FinishEvent, GenerateOptions, TokenEvent } from '../request.ts';
import { highestOf, topLogProbs } from '../sampling/log-probs.ts';
import { BeamSearch, type Path } from './beam-search.ts';
import type { BeamOptions } from './options.ts';

const path = (name: string) => fileURLToPath(new URL(`../../../../test/${name}`, import.meta.url));
const reference = referenceDevice();
const cpu = await cpuDevice({ threads: 2 });
afterAll(() => Promise.all([reference.dispose(), cpu.dispose()]));

interface Told {
  tokens: number[];
  events: TokenEvent[];
  finish?: FinishEvent;
  error?: string;
}

interface CoreSizes {
  cells: number;
  maxSequences: number;
  cacheRamBytes?: number;
}

async function makeCore(modelPath: string, device: Device, { cells, maxSequences, cacheRamBytes = 1e8 }: CoreSizes) {
  const view = await openModel(path(modelPath));
  const model = await loadModel(view, device, {
    ...{ batchTokens: 64, cells, blockTokens: 8, maxSequences, maxOutputs: 16 },
  });
  await view.close();
  return { model, core: new EngineCore(model, { contextTokens: Math.min(cells, 200), cacheRamBytes }) };
}

function submit(core: EngineCore, prompt: readonly number[], count: number, options: GenerateOptions) {
  const told = Array.from({ length: count }, (): Told => ({ tokens: [], events: [] }));
  const emits = told.map((reply) => (outcome: Parameters<Parameters<EngineCore['submit']>[2]>[0]) => {
    if ('error' in outcome) reply.error = outcome.error.code;
    else if ('finishReason' in outcome.event) reply.finish = outcome.event;
    else {
      reply.tokens.push(outcome.event.token);
      reply.events.push(outcome.event);
    }
  });
  return { told, sequences: core.submitBranches(Int32Array.from(prompt), options, emits) };
}

async function drain(core: EngineCore, until = () => false): Promise<void> {
  for (let step = 0; !core.idle && !until(); step++) {
    expect(step).toBeLessThan(1000);
    await core.step();
  }
}

interface Recorded extends Required<BeamOptions> {
  prompt: number[];
  maxTokens: number;
  stopTokens: number[];
  replies: { tokens: number[]; score: number }[];
}

const recorded: Recorded[] = JSON.parse(readFileSync(path('golden/data/beams/tiny-llama.json'), 'utf8'));

it('finds the replies and scores that transformers recorded, all searches at once', async () => {
  const { core, model } = await makeCore('models/tiny-llama', cpu, { cells: 4000, maxSequences: 16 });
  const all = recorded.map(({ prompt, maxTokens, stopTokens, replies, ...beams }) =>
    submit(core, prompt, replies.length, { maxTokens, stopTokens, beams }),
  );
  await drain(core);
  for (const [i, { told }] of all.entries()) {
    const { replies, stopTokens } = recorded[i]!;
    for (const [n, { tokens, score }] of replies.entries()) {
      const { finish, tokens: got } = told[n]!;
      const stop = stopTokens.includes(tokens.at(-1)!) ? tokens.at(-1) : undefined;
      expect(stop === undefined ? got : [...got, stop]).toEqual(tokens);
      expect(Math.abs(finish!.score! - score)).toBeLessThan(1e-4 * Math.max(1, Math.abs(score)));
      expect(finish).toMatchObject({
        finishReason: stop === undefined ? 'length' : 'stop',
        generatedTokens: tokens.length,
      });
      expect(finish!.stopToken).toBe(stop);
    }
  }
  expect(core.freeBlocks).toBe(model.blocks);
  model.dispose();
});

const prompt = Array.from({ length: 21 }, (_, i) => (i * 37 + 3) % 500);
const beams = { width: 4, lengthPenalty: 0.8, earlyStopping: 'never' } as const;
const request: GenerateOptions = { maxTokens: 12, stopTokens: [7, 90, 301], beams, logprobs: 3 };

/** Each text computed from its first token on, by itself. */
async function searchAnew(model: Model): Promise<{ tokens: number[]; score: number }[]> {
  const search = new BeamSearch(beams, { stopTokens: new Set(request.stopTokens), maxTokens: 12 });
  const { vocabSize } = model.hyperparameters;
  const lastRow = async (text: readonly number[]): Promise<Float32Array> => {
    let row = new Float32Array(0);
    for await (const { logits } of sequenceLogits(model, Int32Array.from(text))) row = logits.slice(-vocabSize);
    return row;
  };
  let texts = [prompt];
  while (texts.length > 0) {
    const offers = [];
    for (const text of texts) {
      const row = await lastRow(text);
      offers.push(topLogProbs(highestOf(row, search.needs), search.needs));
    }
    const before = texts;
    texts = search.advance(offers).map(({ from, token }) => [...before[from]!, token]);
  }
  const textOf = (path: Path | undefined): number[] => (path ? [...textOf(path.before), path.token.token] : []);
  return search.best(4).map(({ path, score }) => ({ tokens: textOf(path), score }));
}

const withStop = ({ tokens, finish }: Told): number[] =>
  finish!.stopToken === undefined ? tokens : [...tokens, finish!.stopToken];

describe.each(['llama3', 'qwen35'])('a search over %s', (name) => {
  it.each([
    ['with room', { cells: 320, maxSequences: 4 }],
    ['with nothing kept', { cells: 320, maxSequences: 4, cacheRamBytes: 0 }],
    ['in a cache that just holds it, beside others', { cells: 8 * (2 + 4 * 3), maxSequences: 4 }],
  ])('finds what it finds when every text is computed anew: %s', async (how, sizes) => {
    const { core, model } = await makeCore(`models/arch/${name}`, reference, sizes);
    const expected = await searchAnew(model);
    const { told } = submit(core, prompt, 4, request);
    const others = how.endsWith('others')
      ? [1, 2, 3].map((i) => submit(core, [i, 5, 6], 1, { maxTokens: 30, priority: i === 1 ? 0 : -1 }))
      : [];
    await drain(core);
    expect(told.map(withStop)).toEqual(expected.map(({ tokens }) => tokens));
    for (const [i, { score }] of expected.entries()) expect(told[i]!.finish!.score).toBeCloseTo(score, 4);
    for (const { told } of others) expect(told[0]!.tokens).toHaveLength(30);
    if (others.length > 0) expect(core.stats.totals.preemptions).toBeGreaterThan(0);
    const { blocks } = core.stats;
    expect(blocks.used).toBe(0);
    // 21 tokens of prompt: 2 whole blocks, shared; each beam writes to the rest of 33 tokens.
    expect(blocks.peakUsed).toBeLessThanOrEqual(2 + 4 * 3);
    for (const { events } of told)
      for (const { token, logprob, top } of events) {
        expect(top).toHaveLength(3);
        const same = top!.find((other) => other.token === token);
        if (same) expect(logprob).toBe(same.logprob);
      }
    model.dispose();
  });
});

it('ends all replies when one is cancelled, at any moment, and answers at its deadline', async () => {
  for (const steps of [0, 1, 3, 6]) {
    const { core, model } = await makeCore('models/arch/llama3', reference, { cells: 320, maxSequences: 4 });
    const { told, sequences } = submit(core, prompt, 3, request);
    for (let i = 0; i < steps; i++) await core.step();
    core.cancel(sequences[2]!);
    expect(told.map(({ finish }) => finish!.finishReason)).toEqual(['cancelled', 'cancelled', 'cancelled']);
    expect(core.idle).toBe(true);
    expect(core.freeBlocks).toBe(model.blocks);
    model.dispose();
  }
  const { core, model } = await makeCore('models/arch/llama3', reference, { cells: 320, maxSequences: 4 });
  const { told, sequences } = submit(core, prompt, 2, { ...request, deadlineMs: 1e6 });
  await drain(core, () => sequences[0]!.generated === 4);
  Object.assign(sequences[0]!, { deadline: 0 });
  await drain(core);
  expect(told.map(({ finish }) => finish!.finishReason)).toEqual(['deadline', 'deadline']);
  expect(told[0]!.tokens).toHaveLength(4);
  model.dispose();
});

it.each([
  [{ beams: { width: 0 } }, 1, 'request-invalid', /width/],
  [{ beams: { width: 2, lengthPenalty: Number.NaN } }, 1, 'request-invalid', /lengthPenalty/],
  [{ beams: { width: 2, earlyStopping: 'always' as never } }, 1, 'request-invalid', /earlyStopping/],
  [{ beams: { width: 2 } }, 3, 'request-invalid', /2 beams has no 3/],
  [{ beams: { width: 5 } }, 1, 'beams-do-not-fit', /5 beams.* 4/],
  [{ beams: { width: 4 }, maxTokens: 90 }, 1, 'beams-do-not-fit', /50 cache blocks of 8 tokens; there are 40/],
  [{ beams: { width: 2 }, sampling: { logitBias: new Map([[1, 1]]) } }, 1, 'request-invalid', /logitBias/],
  [{ beams: { width: 2 }, sampling: { presencePenalty: 1 } }, 1, 'request-invalid', /presencePenalty/],
  [{ beams: { width: 2 }, grammar: { kind: 'regex', pattern: 'a' } as never }, 1, 'request-invalid', /grammar/],
] satisfies [GenerateOptions, number, string, RegExp][])('refuses %o', async (options, count, code, message) => {
  const { core, model } = await makeCore('models/arch/llama3', reference, { cells: 320, maxSequences: 4 });
  const ask = () => submit(core, prompt, count, { maxTokens: 12, ...options });
  expect(ask).toThrow(expect.objectContaining({ code }));
  expect(ask).toThrow(message);
  expect(core.idle).toBe(true);
  model.dispose();
});
