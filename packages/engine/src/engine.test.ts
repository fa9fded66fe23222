// The engine in its worker thread, on the CPU device, against the recorded replies of transformers.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { QuernError } from '@quern/errors';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Engine } from './engine.ts';
import type { CallOptions } from './engine-options.ts';
import { collect } from './testing/collect.ts';

const modelPath = (name: string) => fileURLToPath(new URL(`../../../test/models/${name}`, import.meta.url));

const chats: { ids: number[]; greedy_ids: number[]; rendered: string }[] = JSON.parse(
  readFileSync(modelPath('tiny-llama/expected/chat.json'), 'utf8'),
).chat_template;
const END_OF_TURN = 3;
const tinyLlama = modelPath('tiny-llama');
const greedy: CallOptions = { sampling: { temperature: 0 } };

describe('tiny-llama', () => {
  let engine: Engine;
  const progress: [number, number][] = [];
  beforeAll(async () => {
    engine = await Engine.start({
      modelPath: tinyLlama,
      threads: 2,
      maxSequences: 3,
      contextTokens: 1024,
      onProgress: (done, total) => progress.push([done, total]),
    });
  });
  afterAll(() => engine.close());

  it('says what it is', () => {
    expect(engine.info).toMatchObject({
      device: 'cpu',
      threads: 2,
      contextTokens: 1024,
      cacheTokens: 1024,
      maxSequences: 3,
      slowTypes: [],
      cacheTypes: { k: 'F32', v: 'F32' },
      hyperparameters: { architecture: 'llama', vocabSize: 4096, blockCount: 4 },
      memory: { kvBytes: 4 * 2 * 4 * 1024 * 128 }, // 4 blocks, k and v, f32, 2 heads of 64
    });
    const [done, total] = progress.at(-1)!;
    expect(done).toBe(total);
  });

  it('gives the greedy replies that transformers gave, all chats at once', async () => {
    const replies = await Promise.all(
      chats.map(({ ids }) =>
        collect(engine.generate(Int32Array.from(ids), { ...greedy, maxTokens: 96, stopTokens: [END_OF_TURN] })),
      ),
    );
    for (const [i, { ids, greedy_ids: expected }] of chats.entries()) {
      const ended = expected.at(-1) === END_OF_TURN;
      expect(replies[i].tokens).toEqual(ended ? expected.slice(0, -1) : expected);
      expect(replies[i].finish).toMatchObject({
        finishReason: ended ? 'stop' : 'length',
        promptTokens: ids.length,
        generatedTokens: expected.length,
      });
      expect(replies[i].finish.timings.promptMs).toBeGreaterThan(0);
    }
  });

  it('gives the same replies from a cache of half the size', async () => {
    const half = await Engine.start({
      modelPath: tinyLlama,
      threads: 2,
      contextTokens: 1024,
      cacheTypes: { k: 'F16', v: 'F16' },
    });
    expect(half.info.memory.kvBytes).toBe(engine.info.memory.kvBytes / 2);
    const options = { ...greedy, maxTokens: 96, stopTokens: [END_OF_TURN] };
    const replies = await Promise.all(chats.map(({ ids }) => collect(half.generate(Int32Array.from(ids), options))));
    await half.close();
    for (const [i, { greedy_ids: expected }] of chats.entries())
      expect(replies[i].tokens).toEqual(expected.at(-1) === END_OF_TURN ? expected.slice(0, -1) : expected);
  });

  it('repeats a seeded reply beside other requests', async () => {
    const options = { maxTokens: 30, sampling: { seed: 42, temperature: 0.8, topK: 40, topP: 0.95, minP: 0.05 } };
    const prompt = Int32Array.from(chats[0].ids);
    const alone = await collect(engine.generate(prompt, options));
    const [together] = await Promise.all([
      collect(engine.generate(prompt, options)),
      collect(engine.generate(Int32Array.from(chats[1].ids), { maxTokens: 40 })),
      collect(engine.generate(Int32Array.from(chats[2].ids), { maxTokens: 10 })),
    ]);
    expect(together.tokens).toEqual(alone.tokens);
    expect(together.finish.seed).toBe(42);
  });

  it('hands errors over with code and numbers, and goes on', async () => {
    const long = engine.generate(new Int32Array(1024), greedy);
    const error = await long.next().catch((thrown) => thrown);
    expect(error).toBeInstanceOf(QuernError);
    expect(error).toMatchObject({ code: 'prompt-too-long', message: expect.stringMatching(/1024 .* 1024/) });
    const { tokens } = await collect(engine.generate(Int32Array.of(1, 2), { ...greedy, maxTokens: 3 }));
    expect(tokens).toHaveLength(3);
  });

  it('ends by signal, before and during generation', async () => {
    const aborted = await collect(engine.generate(Int32Array.of(0), { ...greedy, signal: AbortSignal.abort() }));
    expect(aborted).toMatchObject({ tokens: [], finish: { finishReason: 'cancelled' } });
    const controller = new AbortController();
    let tokens = 0;
    for await (const event of engine.generate(Int32Array.of(0), { signal: controller.signal })) {
      if ('finishReason' in event) expect(event.finishReason).toBe('cancelled');
      else if (++tokens === 3) controller.abort();
    }
    expect(tokens).toBeLessThan(1000); // those already on their way, not all that the context holds
  });

  it('stops computing for a reader that leaves', async () => {
    const stepsBefore = (await engine.stats()).totals.steps;
    // Twice as many as there are places; each could go on to the end of the context.
    for (let i = 0; i < 6; i++) for await (const _ of engine.generate(Int32Array.of(0), {})) break;
    const { finish } = await collect(engine.generate(Int32Array.of(0), { ...greedy, maxTokens: 2 }));
    expect(finish.generatedTokens).toBe(2);
    // The others would have taken two thousand.
    expect((await engine.stats()).totals.steps - stepsBefore).toBeLessThan(1000);
  });
});

describe('life and death', () => {
  it.each([
    [{ modelPath: modelPath('nothing-here') }, 'model-not-found'],
    [{ modelPath: tinyLlama, contextTokens: 4096 }, 'context-too-long'],
    [{ modelPath: tinyLlama, maxSequences: 0 }, 'engine-option-invalid'],
    [{ modelPath: tinyLlama, gpuLayers: 2 }, 'placement-no-gpu'],
    [{ modelPath: tinyLlama, cacheTokens: 2 ** 24 }, 'model-too-large'],
  ])('does not start with %o', async (options, code) => {
    await expect(Engine.start({ devices: [{ kind: 'reference' }], ...options })).rejects.toMatchObject({ code });
  });

  it('finishes what it has when closed, and takes nothing new', async () => {
    const engine = await Engine.start({ modelPath: tinyLlama, devices: [{ kind: 'reference' }], maxSequences: 1 });
    const replies = [1, 2].map(() => collect(engine.generate(Int32Array.of(0), { ...greedy, maxTokens: 5 })));
    await engine.close();
    for (const { tokens, finish } of await Promise.all(replies)) {
      expect(tokens).toHaveLength(5);
      expect(finish.finishReason).toBe('length');
    }
    await expect(engine.generate(Int32Array.of(0)).next()).rejects.toMatchObject({ code: 'engine-closed' });
    await engine.close();
  });

  it('cancels what it has when closed in a hurry', async () => {
    const engine = await Engine.start({ modelPath: tinyLlama, devices: [{ kind: 'reference' }] });
    const reply = collect(engine.generate(Int32Array.of(0), greedy));
    await engine.close({ cancel: true });
    expect((await reply).finish.finishReason).toBe('cancelled');
  });

  it('rejects every request when the worker dies', async () => {
    const worker = new Worker(
      "require('node:worker_threads').parentPort.once('message', () => { throw new Error('boom') })",
      {
        eval: true,
      },
    );
    const OverWorker = Engine as unknown as new (worker: Worker, info: object, options: object) => Engine;
    const engine = new OverWorker(worker, {}, {});
    const requests = [1, 2].map(() => engine.generate(Int32Array.of(0)).next());
    for (const request of requests)
      await expect(request).rejects.toMatchObject({ code: 'engine-crashed', message: expect.stringContaining('boom') });
    await expect(engine.generate(Int32Array.of(0)).next()).rejects.toMatchObject({ code: 'engine-crashed' });
    await engine.close();
  });
});
