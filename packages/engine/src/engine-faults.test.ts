// What happens to an engine in the hands of real clients: they leave at any moment, they come in thousands, they run out of time.
import { fileURLToPath } from 'node:url';
import type { Worker } from 'node:worker_threads';
import { loadModel, openModel } from '@quern/models';
import { cpuDevice } from '@quern/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EngineCore } from './core.ts';
import { Engine } from './engine.ts';
import { Grammars } from './grammars.ts';
import { Random } from './sampling/random.ts';
import { blockThread } from './testing/block-thread.ts';
import { collect } from './testing/collect.ts';
import { bytesInUse } from './testing/collect-garbage.ts';

const modelPath = fileURLToPath(new URL('../../../test/models/arch/llama3', import.meta.url));
const tinyLlama = fileURLToPath(new URL('../../../test/models/tiny-llama', import.meta.url));
const greedy = { sampling: { temperature: 0 } };

describe('an engine', () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await Engine.start({ modelPath, threads: 1, contextTokens: 256, maxSequences: 4, cacheRamBytes: 2 ** 20 });
  });
  afterAll(() => engine.close({ cancel: true }));

  it('answers at once after 200 requests were cancelled at random moments', async () => {
    const prompt = Int32Array.of(5, 9, 100, 7);
    const { tokens: expected } = await collect(engine.generate(prompt, { ...greedy, maxTokens: 8 }));
    const random = Random.seeded(3);
    const requests = Array.from({ length: 200 }, async (_, i) => {
      const length = 1 + Math.floor(random.nextFloat() * 200);
      const after = Math.floor(random.nextFloat() * 12);
      const controller = new AbortController();
      const text = Int32Array.from({ length }, (_, t) => (i * 31 + t * 7) % 500);
      const count = 1 + (i % 3);
      const replies = engine.generateBranches(text, { maxTokens: 40, signal: controller.signal }, count);
      const turns = Math.floor(random.nextFloat() * 300);
      const leaving = (async () => {
        for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
        controller.abort();
      })();
      const read = replies.map(async (reply) => {
        let seen = 0;
        for await (const event of reply) if ('finishReason' in event || ++seen > after) break;
      });
      await Promise.all([leaving, ...read]);
    });
    await Promise.all(requests);
    const stepsBefore = (await engine.stats()).totals.steps;
    const { tokens } = await collect(engine.generate(prompt, { ...greedy, maxTokens: 8 }));
    expect(tokens).toEqual(expected);
    const { requests: inside, blocks, kept, totals } = await engine.stats();
    // The cancelled ones would take thousands.
    expect(totals.steps - stepsBefore).toBeLessThan(200);
    expect(inside).toEqual({ running: 0, waiting: 0 });
    expect(blocks.used).toBe(0);
    expect(kept.bytes).toBeLessThanOrEqual(kept.budgetBytes);
  });

  it('ends a request whose time is over, waiting, reading or writing', async () => {
    // The first token may come in time or not, and the last.
    const busy = [1, 2, 3, 4].map((token) =>
      collect(engine.generate(Int32Array.of(token), { ...greedy, deadlineMs: 600 })).then(
        ({ finish }) => finish.finishReason,
        ({ code }) => code,
      ),
    );
    const waiting = collect(engine.generate(Int32Array.of(9), { deadlineMs: 1 }));
    await expect(waiting).rejects.toMatchObject({ code: 'deadline-exceeded' });
    for (const end of await Promise.all(busy)) expect(['deadline', 'length', 'deadline-exceeded']).toContain(end);
    expect((await engine.stats()).blocks.used).toBe(0);
    await expect(collect(engine.generate(Int32Array.of(1), { deadlineMs: 0 }))).rejects.toMatchObject({
      code: 'request-invalid',
    });
  });
});

describe('an engine whose thread hangs', () => {
  const threads: Worker[] = [];
  const watch = (worker: Worker): unknown => threads.push(worker);
  const start = async (limits: { silenceMs: number; answerMs: number }) => {
    process.on('worker', watch);
    const engine = await Engine.start({ modelPath, threads: 1, contextTokens: 256, ...limits });
    process.off('worker', watch);
    return { engine, thread: threads.at(-1)! };
  };

  it('is ended, and those who wait are told', async () => {
    const { engine, thread } = await start({ silenceMs: 2000, answerMs: 50 });
    await blockThread(thread);
    const reply = collect(engine.generate(Int32Array.of(5), greedy));
    await expect(reply).rejects.toMatchObject({ code: 'engine-hangs' });
    expect(engine.failure).toMatchObject({ code: 'engine-hangs' });
    await engine.close();
  });

  it('says so to whoever looks, and can be closed', async () => {
    const { engine, thread } = await start({ silenceMs: 0, answerMs: 50 });
    await blockThread(thread);
    await expect(engine.stats()).rejects.toMatchObject({ code: 'engine-not-answering' });
    expect(engine.failure).toBeUndefined();
    await engine.close({ cancel: true });
  });
});

it('keeps its memory flat over thousands of requests that have nothing in common', async () => {
  const device = await cpuDevice({ threads: 1 });
  const view = await openModel(modelPath);
  const model = await loadModel(view, device, { batchTokens: 32, cells: 128, maxSequences: 4, maxOutputs: 4 });
  await view.close();
  const budget = 2 ** 20;
  const core = new EngineCore(model, { contextTokens: 64, cacheRamBytes: budget });
  const random = Random.seeded(1);
  const rounds = async (count: number): Promise<number> => {
    for (let i = 0; i < count; i += 4) {
      for (let n = 0; n < 4; n++) {
        const prompt = Int32Array.from({ length: 33 }, () => Math.floor(random.nextFloat() * 500));
        core.submit(prompt, { maxTokens: 1, sampling: { temperature: 0 } }, () => {});
      }
      while (!core.idle) await core.step();
      expect(core.stats.kept.bytes).toBeLessThanOrEqual(budget);
    }
    return bytesInUse();
  };
  const early = await rounds(600);
  const late = await rounds(1400);
  expect(core.stats.kept.hostBlocks).toBeGreaterThan(10);
  // A leak of a prompt each would be 1400 · 33 positions of state.
  expect(late - early).toBeLessThan(Math.min(32 * 2 ** 20, 1400 * 33 * model.state.snapshotBytes(1, false)));
  model.dispose();
  await device.dispose();
});

it('ends a reply when its grammar asks for what no token says, and goes on with the others', async () => {
  const device = await cpuDevice({ threads: 1 });
  const view = await openModel(tinyLlama);
  const model = await loadModel(view, device, { batchTokens: 32, cells: 256, maxSequences: 2, maxOutputs: 2 });
  await view.close();
  // A vocabulary without the letter Q.
  const stringsOf = (key: string) => (view.metadata.get(key) as { value: readonly string[] }).value;
  const strings = (value: readonly string[]) => ({ type: 'array', of: 'string', value }) as const;
  const tokens = stringsOf('tokenizer.ggml.tokens').map((token, i) => (token.includes('Q') ? `zz${i}` : token));
  const merges = stringsOf('tokenizer.ggml.merges').filter((pair) => !pair.includes('Q'));
  const metadata = new Map(view.metadata)
    .set('tokenizer.ggml.tokens', strings(tokens))
    .set('tokenizer.ggml.merges', strings(merges));
  const core = new EngineCore(model, { contextTokens: 128, grammars: new Grammars(metadata) });
  const ends: string[] = [];
  const ask = (text: string): void => {
    core.submit(
      Int32Array.of(0, 2, 323),
      { ...greedy, maxTokens: 8, stopTokens: [3], grammar: { kind: 'gbnf', text } },
      (outcome) => {
        if ('error' in outcome) ends.push(outcome.error.code);
        else if ('finishReason' in outcome.event) ends.push(outcome.event.finishReason);
      },
    );
  };
  ask('root ::= "Q"');
  ask('root ::= "ab" "Q"');
  ask('root ::= "ab"');
  while (!core.idle) await core.step();
  expect(ends.sort()).toEqual(['grammar-no-token', 'grammar-no-token', 'stop']);
  expect(core.freeBlocks).toBe(model.blocks);
  model.dispose();
  await device.dispose();
});
