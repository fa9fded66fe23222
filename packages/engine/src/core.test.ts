import { fileURLToPath } from 'node:url';
import type { ModelView } from '@quern/checkpoint';
import { type LoadOptions, loadModel, openModel, sequenceLogits } from '@quern/models';
import { cpuDevice, referenceDevice } from '@quern/runtime';
import { afterAll, describe, expect, it } from 'vitest';
import { EngineCore } from './core.ts';
import type { FinishEvent, GenerateOptions, TokenEvent } from './request.ts';

const modelPath = (name: string) => fileURLToPath(new URL(`../../../test/models/${name}`, import.meta.url));

const devices = [referenceDevice(), await cpuDevice({ threads: 2 })];
afterAll(() => Promise.all(devices.map((device) => device.dispose())));
const [reference] = devices;

const open = () => openModel(modelPath('arch/llama3'));

/** A core over llama3 with room for `cells` tokens, and what a test wants to see of it. */
async function makeCore(
  options: Partial<LoadOptions> & { contextTokens?: number } = {},
  device = reference,
  view?: ModelView,
) {
  const opened = view ?? (await open());
  const { contextTokens = 96, ...load } = options;
  const model = await loadModel(opened, device, {
    batchTokens: 16,
    cells: 96,
    blockTokens: 8,
    maxSequences: 4,
    maxOutputs: 4,
    ...load,
  });
  await opened.close();
  return { model, core: new EngineCore(model, { contextTokens }) };
}

interface Reply {
  tokens: number[];
  events: TokenEvent[];
  finish?: FinishEvent;
  error?: { code: string };
}

function ask(core: EngineCore, prompt: number[], options: GenerateOptions) {
  const reply: Reply = { tokens: [], events: [] };
  const sequence = core.submit(Int32Array.from(prompt), options, (outcome) => {
    if ('error' in outcome) reply.error = outcome.error;
    else if ('finishReason' in outcome.event) reply.finish = outcome.event;
    else {
      reply.events.push(outcome.event);
      reply.tokens.push(outcome.event.token);
    }
  });
  return { reply, sequence };
}

async function drain(core: EngineCore): Promise<void> {
  for (let step = 0; !core.idle; step++) {
    expect(step).toBeLessThan(2000);
    await core.step();
  }
}

const prompts = [
  [5, 9, 100, 7],
  Array.from({ length: 40 }, (_, i) => (i * 37) % 512),
  [300],
  Array.from({ length: 21 }, (_, i) => 511 - i),
];
const sampled = (seed: number): GenerateOptions => ({
  maxTokens: 24,
  sampling: { temperature: 0.9, topP: 0.95, seed },
});

async function alone(device: (typeof devices)[number], prompt: number[], options: GenerateOptions): Promise<Reply> {
  const { core, model } = await makeCore({}, device);
  const { reply } = ask(core, prompt, options);
  await drain(core);
  model.dispose();
  return reply;
}

describe.each(devices)('requests together on the $name device', (device) => {
  it('give each the tokens it gets alone', async () => {
    const { core, model } = await makeCore({ cells: 400 }, device);
    const replies = prompts.map((prompt, i) => ask(core, prompt, sampled(i)).reply);
    await drain(core);
    for (const [i, prompt] of prompts.entries()) {
      expect(replies[i].tokens).toEqual((await alone(device, prompt, sampled(i))).tokens);
      expect(replies[i].finish).toMatchObject({
        finishReason: 'length',
        promptTokens: prompt.length,
        generatedTokens: 24,
      });
    }
    expect(core.freeBlocks).toBe(model.blocks);
    model.dispose();
  });

  it('wait for cells, are computed again after a preemption, and still give the same', async () => {
    const { core, model } = await makeCore({ cells: 96 }, device); // 162 tokens are wanted in all
    const replies = prompts.map((prompt, i) => ask(core, prompt, sampled(i)).reply);
    let waited = false;
    while (!core.idle) {
      await core.step();
      waited ||= core.stats.requests.waiting > 0;
    }
    expect(waited).toBe(true);
    for (const [i, prompt] of prompts.entries())
      expect(replies[i].tokens).toEqual((await alone(device, prompt, sampled(i))).tokens);
    expect(core.freeBlocks).toBe(model.blocks);
    model.dispose();
  });
});

describe('one request', () => {
  it('is greedy over the logits of the whole text', async () => {
    const { core, model } = await makeCore();
    const { reply } = ask(core, prompts[1], { maxTokens: 8, sampling: { temperature: 0 }, logprobs: 3 });
    await drain(core);
    const text = Int32Array.from([...prompts[1], ...reply.tokens]);
    const { vocabSize } = model.hyperparameters;
    for await (const { first, logits } of sequenceLogits(model, text))
      for (let row = 0; row * vocabSize < logits.length; row++) {
        const event = reply.events[first + row + 1 - prompts[1].length];
        if (!event) continue;
        const values = [...logits.subarray(row * vocabSize, (row + 1) * vocabSize)];
        const order = [...values.keys()].sort((a, b) => values[b] - values[a]);
        const normalizer = Math.log(values.reduce((sum, x) => sum + Math.exp(x), 0));
        expect(event.token).toBe(order[0]);
        expect(event.top!.map(({ token }) => token)).toEqual(order.slice(0, 3));
        for (const { token, logprob } of [event as { token: number; logprob: number }, ...event.top!])
          expect(logprob).toBeCloseTo(values[token] - normalizer, 5);
      }
    expect(reply.events).toHaveLength(8);
  });

  it('repeats with the seed that the finish event reports', async () => {
    const first = await alone(reference, prompts[0], { maxTokens: 20 });
    const again = await alone(reference, prompts[0], { maxTokens: 20, sampling: { seed: first.finish!.seed } });
    const other = await alone(reference, prompts[0], { maxTokens: 20, sampling: { seed: first.finish!.seed + 1 } });
    expect(again.tokens).toEqual(first.tokens);
    expect(other.tokens).not.toEqual(first.tokens);
  });

  it('ends before a stop token, which it counts and names', async () => {
    const free = await alone(reference, prompts[0], sampled(3));
    const stop = free.tokens.find((token, i) => i > 3 && free.tokens.indexOf(token) === i)!;
    const stopped = await alone(reference, prompts[0], { ...sampled(3), stopTokens: [stop] });
    const length = free.tokens.indexOf(stop);
    expect(stopped.tokens).toEqual(free.tokens.slice(0, length));
    expect(stopped.finish).toMatchObject({ finishReason: 'stop', stopToken: stop, generatedTokens: length + 1 });
  });

  it('ends with the context', async () => {
    const reply = await alone(reference, prompts[1], { sampling: { temperature: 0 } });
    expect(reply.finish).toMatchObject({
      finishReason: 'length',
      promptTokens: 40,
      generatedTokens: 56,
      cachedTokens: 0,
    });
  });

  it.each([
    ['an empty prompt', [], {}, 'prompt-empty', /no tokens/],
    ['a prompt as long as the context', new Array(96).fill(1), {}, 'prompt-too-long', /96 tokens .* context of 96/],
    [
      'prompt and reply beyond the context',
      [1, 2],
      { maxTokens: 95 },
      'prompt-too-long',
      /2 tokens and 95 tokens .* 96/,
    ],
    ['a token beyond the vocabulary', [1, 512], {}, 'token-out-of-range', /token 1 is 512.* 512/],
    ['no tokens to generate', [1], { maxTokens: 0 }, 'request-invalid', /maxTokens/],
    ['a wrong number of log probabilities', [1], { logprobs: -1 }, 'request-invalid', /logprobs/],
    ['wrong sampling', [1], { sampling: { topP: 7 } }, 'sampling-invalid', /topP/],
  ])('is refused: %s', async (_, prompt, options: GenerateOptions, code, message) => {
    const { core } = await makeCore();
    expect(() => ask(core, prompt, options)).toThrow(expect.objectContaining({ code }));
    expect(() => ask(core, prompt, options)).toThrow(message);
    expect(core.idle).toBe(true);
  });
});

describe('cancelling', () => {
  it('frees the cells at once, running or waiting, and leaves the others alone', async () => {
    const { core, model } = await makeCore({ maxSequences: 2, cells: 400 });
    const [kept, running, waiting] = prompts.map((prompt, i) => ask(core, prompt, sampled(i)));
    while (running.reply.tokens.length === 0) await core.step();
    const before = core.freeBlocks;
    core.cancel(running.sequence);
    expect(core.freeBlocks).toBeGreaterThan(before);
    core.cancel(waiting.sequence);
    core.cancel(waiting.sequence); // a second time changes nothing
    for (const { reply } of [running, waiting]) expect(reply.finish).toMatchObject({ finishReason: 'cancelled' });
    const length = running.reply.tokens.length;
    await drain(core);
    expect(running.reply.tokens).toHaveLength(length);
    expect(kept.reply.tokens).toEqual((await alone(reference, prompts[0], sampled(0))).tokens);
    expect(core.freeBlocks).toBe(model.blocks);
  });

  it('works while the device is computing', async () => {
    const { core } = await makeCore();
    const { reply, sequence } = ask(core, prompts[0], sampled(1));
    const step = core.step();
    core.cancel(sequence);
    await step;
    expect(reply.tokens).toEqual([]);
    expect(reply.finish).toMatchObject({ finishReason: 'cancelled', generatedTokens: 0 });
    expect(core.idle).toBe(true);
  });
});

it.each([
  ['token_embd.weight', 'token_embd'],
  ['blk.0.attn_v.weight', 'the attention of blk.0'],
  ['blk.2.ffn_down.weight', 'the feed-forward of blk.2'],
  ['output_norm.weight', 'output_norm'],
])(
  'logits that are no numbers are reported with their origin, and the next request goes on: %s',
  async (name, place) => {
    const view = await open();
    const tensor = view.tensors.get(name)!;
    // One NaN, in the row of the embedding that the prompt takes, and every logit is NaN.
    const damagedRow = name === 'token_embd.weight' ? prompts[0][0] : 0;
    const readRows = async (first: number, count: number, into: Uint8Array) => {
      await tensor.readRows(first, count, into);
      const row = damagedRow - first;
      if (row >= 0 && row < count)
        into.fill(0xff, row * tensor.rowBytes, row * tensor.rowBytes + tensor.dtype.typeSize);
    };
    const tensors = new Map(view.tensors).set(name, { ...tensor, readRows });
    const damaged: ModelView = { path: view.path, metadata: view.metadata, tensors, close: () => view.close() };
    const { core, model } = await makeCore({}, reference, damaged);
    for (let i = 0; i < 2; i++) {
      const { reply } = ask(core, prompts[0], sampled(1));
      await drain(core);
      expect(reply.error).toMatchObject({
        code: 'logits-not-finite',
        message: expect.stringMatching(new RegExp(`first appear in ${place}\\.$`)),
      });
    }
    expect(core.freeBlocks).toBe(model.blocks);
  },
);

it.each([
  [{ contextTokens: 97 }, /97 .* 96/],
  [{ maxSequences: 17, maxOutputs: 17 }, /17 sequences/],
  [{ maxOutputs: 3 }, /4 sequences/],
])('refuses a model that was loaded too small: %o', async (options, message) => {
  await expect(makeCore(options)).rejects.toThrow(message);
});
