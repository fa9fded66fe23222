// What is kept of earlier requests changes how much is computed and nothing else: with it every reply and every probability is
// that of an engine that keeps nothing, bit by bit on a device whose rows do not depend on their batch.
import { fileURLToPath } from 'node:url';
import { loadModel, openModel } from '@quern/models';
import { referenceDevice } from '@quern/runtime';
import { afterAll, describe, expect, it } from 'vitest';
import { EngineCore } from './core.ts';
import type { FinishEvent, GenerateOptions, TokenEvent } from './request.ts';

const modelPath = (name: string) => fileURLToPath(new URL(`../../../test/models/arch/${name}`, import.meta.url));
const device = referenceDevice();
afterAll(() => device.dispose());

const sizes = { batchTokens: 24, cells: 256, blockTokens: 8, maxSequences: 3, maxOutputs: 3 };

async function makeCore(name: string, cacheRamBytes: number, cells = sizes.cells) {
  const view = await openModel(modelPath(name));
  const model = await loadModel(view, device, { ...sizes, cells });
  await view.close();
  return { model, core: new EngineCore(model, { contextTokens: 160, cacheRamBytes }) };
}

async function ask(core: EngineCore, prompt: readonly number[], options: GenerateOptions = {}) {
  const events: TokenEvent[] = [];
  let finish: FinishEvent | undefined;
  const sampling = { temperature: 0.8, seed: 5 };
  core.submit(Int32Array.from(prompt), { maxTokens: 12, sampling, logprobs: 5, ...options }, (outcome) => {
    if ('error' in outcome) throw outcome.error;
    if ('finishReason' in outcome.event) finish = outcome.event;
    else events.push({ ...outcome.event, cachedTokens: undefined });
  });
  while (!core.idle) await core.step();
  return { events, tokens: events.map(({ token }) => token), cached: finish!.cachedTokens };
}

const text = (length: number, factor: number): number[] => Array.from({ length }, (_, i) => (i * factor + 3) % 500);

// llama3: keys and values in blocks alone; qwen35: recurrent states in slots beside them.
describe.each(['llama3', 'qwen35'])('%s', (name) => {
  it('computes only the new tokens of the next turn, to the same bits', async () => {
    const kept = await makeCore(name, 1e9);
    const plain = await makeCore(name, 0);
    const first = text(45, 37);
    const options = { messageEnds: [20, 41] };
    const reply = await ask(kept.core, first, options);
    expect(reply.cached).toBe(0);
    expect(reply.events).toEqual((await ask(plain.core, first, options)).events);

    // As the next turn of a chat: all of it again and a message; the last token of a reply has never been computed.
    const second = [...first, ...reply.tokens, ...text(19, 11)];
    const next = await ask(kept.core, second, { messageEnds: [20, 41, 60] });
    expect(next.cached).toBe(45 + 12 - 1);
    expect(next.events).toEqual((await ask(plain.core, second)).events);

    // As a template that leaves the last reply's thinking out: the text agrees up to a message's end.
    const without = [...first.slice(0, 41), ...text(30, 7)];
    const third = await ask(kept.core, without, { messageEnds: [20, 41] });
    expect(third.cached).toBe(41);
    expect(third.events).toEqual((await ask(plain.core, without)).events);

    // The same once more.
    const again = await ask(kept.core, second);
    expect(again.events).toEqual(next.events);
    expect(again.cached).toBeGreaterThanOrEqual(second.length - 32);
    expect(again.cached).toBeLessThan(second.length);
    expect(kept.core.freeBlocks).toBe(kept.model.blocks);
    expect(kept.core.stats.totals).toMatchObject({ cachedTokens: next.cached + third.cached + again.cached });
    for (const { model } of [kept, plain]) model.dispose();
  });

  it('goes on from what had to leave the KV cache', async () => {
    const kept = await makeCore(name, 1e9, 160); // room for one context
    const plain = await makeCore(name, 0, 160);
    const prompts = [101, 37, 11].map((factor) => text(120, factor));
    for (const prompt of prompts) await ask(kept.core, prompt);
    expect(kept.core.stats.kept.hostBlocks).toBeGreaterThan(10);
    for (const prompt of prompts) {
      const again = await ask(kept.core, prompt);
      expect(again.cached).toBe(119);
      expect(again.events).toEqual((await ask(plain.core, prompt)).events);
    }
    for (const { model } of [kept, plain]) model.dispose();
  });

  it('computes what several begin with once, though they come together', async () => {
    const kept = await makeCore(name, 1e9);
    const plain = await makeCore(name, 0);
    const ends: FinishEvent[] = [];
    const tokens: number[][] = [];
    const start = text(40, 37);
    const prompts = [1, 2, 3].map((factor) => [...start, factor, ...text(10, factor)]);
    for (const prompt of prompts) {
      const mine: number[] = [];
      tokens.push(mine);
      const options = { maxTokens: 8, sampling: { temperature: 0 }, messageEnds: [40] };
      kept.core.submit(Int32Array.from(prompt), options, (outcome) => {
        if ('error' in outcome) throw outcome.error;
        if ('finishReason' in outcome.event) ends.push(outcome.event);
        else mine.push(outcome.event.token);
      });
    }
    while (!kept.core.idle) await kept.core.step();
    for (const [i, prompt] of prompts.entries())
      expect(tokens[i]).toEqual((await ask(plain.core, prompt, { maxTokens: 8, sampling: { temperature: 0 } })).tokens);
    expect(ends.map(({ cachedTokens }) => cachedTokens).sort()).toEqual([0, 40, 40]);
    for (const { model } of [kept, plain]) model.dispose();
  });

  it('keeps within its budget, and nothing without one', async () => {
    const { core, model } = await makeCore(name, 0);
    const prompt = text(50, 37);
    for (let i = 0; i < 2; i++) expect((await ask(core, prompt)).cached).toBe(0);
    expect(core.stats.kept).toMatchObject({ bytes: 0, deviceBlocks: 0, hostBlocks: 0, snapshots: 0 });
    model.dispose();
    const budget = 6 * model.state.snapshotBytes(1, false) + 3 * model.state.snapshotBytes(0, true) + 8000;
    const tight = await makeCore(name, budget);
    for (let factor = 1; factor < 8; factor++) {
      await ask(tight.core, text(60, factor));
      expect(tight.core.stats.kept.bytes).toBeLessThanOrEqual(budget);
    }
    expect(tight.core.stats.kept.deviceBlocks).toBeGreaterThan(0);
    tight.model.dispose();
  });
});
