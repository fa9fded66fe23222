// Several replies to one prompt: each is what it would be as a request of its own, the prompt is computed once, and the blocks
// of the prompt are held once.
import { fileURLToPath } from 'node:url';
import { QuernError } from '@quern/errors';
import { loadModel, openModel } from '@quern/models';
import { type Device, referenceDevice } from '@quern/runtime';
import { afterAll, describe, expect, it } from 'vitest';
import { EngineCore } from './core.ts';
import type { GenerateOptions } from './request.ts';

const modelPath = (name: string) => fileURLToPath(new URL(`../../../test/models/arch/${name}`, import.meta.url));
const reference = referenceDevice();
afterAll(() => reference.dispose());

const prompt = Int32Array.from({ length: 60 }, (_, i) => (i * 37 + 3) % 500);
const seed = 11;
const options: GenerateOptions = { maxTokens: 12, sampling: { temperature: 0.9, seed } };

interface Reply {
  tokens: number[];
  end?: string;
}

async function makeCore(name: string, maxSequences: number, cacheRamBytes = 1e9, device: Device = reference) {
  const view = await openModel(modelPath(name));
  const sizes = { batchTokens: 32, cells: 320, blockTokens: 8, maxSequences, maxOutputs: maxSequences };
  const model = await loadModel(view, device, sizes);
  await view.close();
  return { model, core: new EngineCore(model, { contextTokens: 96, cacheRamBytes }) };
}

function submit(core: EngineCore, count: number, request: GenerateOptions) {
  const replies = Array.from({ length: count }, (): Reply => ({ tokens: [] }));
  const emits = replies.map((reply) => (outcome: Parameters<Parameters<EngineCore['submit']>[2]>[0]) => {
    if ('error' in outcome) reply.end = outcome.error.code;
    else if ('finishReason' in outcome.event) reply.end = outcome.event.finishReason;
    else reply.tokens.push(outcome.event.token);
  });
  return { replies, sequences: core.submitBranches(prompt, request, emits) };
}

async function drain(core: EngineCore): Promise<void> {
  while (!core.idle) await core.step();
}

async function alone(name: string, request: GenerateOptions): Promise<number[]> {
  const { core, model } = await makeCore(name, 1, 0);
  const { replies } = submit(core, 1, request);
  await drain(core);
  model.dispose();
  return replies[0]!.tokens;
}

describe.each(['llama3', 'qwen35'])('branches of %s', (name) => {
  it.each([
    ['together', 4, 1e9],
    ['in turns where there are fewer places, from what is kept', 2, 1e9],
    ['in turns, with nothing kept', 2, 0],
  ])('give what requests with their seeds give: %s', async (_, places, cacheRamBytes) => {
    const { core, model } = await makeCore(name, places, cacheRamBytes);
    const { replies } = submit(core, 4, options);
    await drain(core);
    for (const [i, { tokens }] of replies.entries())
      expect(tokens).toEqual(await alone(name, { ...options, sampling: { temperature: 0.9, seed: seed + i } }));
    expect(new Set(replies.map(({ tokens }) => tokens.join())).size).toBeGreaterThan(1);
    const { blocks } = core.stats;
    expect(blocks.used).toBe(0);
    // 60 tokens of prompt: 7 whole blocks, shared; the 8th, half full, and what follows are each reply's own.
    if (places === 4) expect(blocks.peakUsed).toBe(7 + 4 * 2);
    model.dispose();
  });

  it('leave each other alone when one is cancelled, before or after they part', async () => {
    const { core, model } = await makeCore(name, 4);
    const { replies, sequences } = submit(core, 4, options);
    core.cancel(sequences[2]!);
    while (replies[1]!.tokens.length < 3) await core.step();
    core.cancel(sequences[0]!);
    await drain(core);
    expect(replies.map(({ end }) => end)).toEqual(['cancelled', 'length', 'cancelled', 'length']);
    for (const i of [1, 3])
      expect(replies[i]!.tokens).toEqual(
        await alone(name, { ...options, sampling: { temperature: 0.9, seed: seed + i } }),
      );
    expect(core.freeBlocks).toBe(model.blocks);
    model.dispose();
  });

  it('go on when the first is cancelled while the prompt is read', async () => {
    const { core, model } = await makeCore(name, 4);
    const { replies, sequences } = submit(core, 3, options);
    await core.step();
    core.cancel(sequences[0]!);
    await drain(core);
    expect(replies.map(({ end }) => end)).toEqual(['cancelled', 'length', 'length']);
    expect(core.freeBlocks).toBe(model.blocks);
    model.dispose();
  });
});

it('end with the error of a device that is lost while they live; what waits is handed on', async () => {
  let left = 4;
  const read: Device['read'] = async (...range) => {
    if (left-- <= 0) throw new QuernError('device-lost', 'The plug was pulled.');
    return reference.read(...range);
  };
  const { core, model } = await makeCore('llama3', 3, 0, { ...reference, read });
  const { replies } = submit(core, 5, options);
  const lost = await drain(core).catch((error) => error);
  expect(lost.code).toBe('device-lost');
  const waiting = core.abandon(lost);
  expect(replies.map(({ end }) => end)).toEqual(['device-lost', 'device-lost', 'device-lost', undefined, undefined]);
  expect(waiting).toHaveLength(2);
  expect(core.freeBlocks).toBe(model.blocks);
  model.dispose();
  const next = await makeCore('llama3', 3);
  next.core.adopt(waiting);
  await drain(next.core);
  for (const i of [3, 4])
    expect(replies[i]!.tokens).toEqual(
      await alone('llama3', { ...options, sampling: { temperature: 0.9, seed: seed + i } }),
    );
  next.model.dispose();
});
