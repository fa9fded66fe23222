// What an engine reads back: a few numbers where the likeliest tokens are enough, the whole vocabulary where they are not, and the
// same tokens either way.
import { fileURLToPath } from 'node:url';
import { loadModel, openModel } from '@quern/models';
import { cpuDevice, type Device } from '@quern/runtime';
import { afterAll, describe, expect, it } from 'vitest';
import { EngineCore } from './core.ts';
import type { GenerateOptions, TokenEvent } from './request.ts';

const modelPath = fileURLToPath(new URL('../../../test/models/tiny-llama', import.meta.url));
const cpu = await cpuDevice({ threads: 2 });
afterAll(() => cpu.dispose());

/** Reads are counted; everything else is the CPU device's. */
function countReads(device: Device): { device: Device; read: number[] } {
  const read: number[] = [];
  const counting = Object.create(device) as Device;
  for (const name of ['alloc', 'view', 'free', 'write', 'run', 'sync'] as const)
    Object.assign(counting, { [name]: (device[name] as (...given: never[]) => unknown).bind(device) });
  counting.read = async (...range) => {
    const bytes = await device.read(...range);
    read.push(bytes.byteLength);
    return bytes;
  };
  return { device: counting, read };
}

async function generate(requests: readonly GenerateOptions[]): Promise<{ events: TokenEvent[][]; read: number[] }> {
  const { device, read } = countReads(cpu);
  const view = await openModel(modelPath);
  const model = await loadModel(view, device, { batchTokens: 32, cells: 512, maxSequences: 4, maxOutputs: 4 });
  await view.close();
  const core = new EngineCore(model, { contextTokens: 128 });
  read.length = 0;
  const events = requests.map((options, i) => {
    const told: TokenEvent[] = [];
    core.submit(Int32Array.of(0, 2, 323, 10 + i), { maxTokens: 12, ...options }, (outcome) => {
      if ('error' in outcome) throw outcome.error;
      if ('token' in outcome.event) told.push(outcome.event);
    });
    return told;
  });
  while (!core.idle) await core.step();
  model.dispose();
  return { events, read };
}

const VOCAB_BYTES = 4 * 4096;
/** A bias of nothing: the same tokens, from all logits. */
const fromAll = ({ sampling, ...options }: GenerateOptions): GenerateOptions => ({
  ...options,
  sampling: { ...sampling, logitBias: new Map([[5, 0]]) },
});
const tokensOf = (events: readonly TokenEvent[][]) => events.map((reply) => reply.map(({ token }) => token));

describe.each<[string, GenerateOptions, number]>([
  ['a greedy choice', { sampling: { temperature: 0 } }, 4 * 3],
  ['top-k first', { sampling: { topK: 40, topP: 0.95, temperature: 0.9, seed: 3 } }, 4 * 81],
  ['with llama.cpp’s numbers', { sampling: { topK: 20, rng: 'llama.cpp', seed: 9 } }, 4 * 41],
  ['log probabilities', { sampling: { temperature: 0 }, logprobs: 5 }, 4 * 11],
])('%s', (_, options, bytes) => {
  it('reads no vocabulary back, and gives what all logits give', async () => {
    const few = await generate([options, { ...options, maxTokens: 7 }]);
    expect(Math.max(...few.read)).toBe(2 * bytes); // both in one
    const all = await generate([fromAll(options), fromAll({ ...options, maxTokens: 7 })]);
    expect(Math.min(...all.read)).toBe(VOCAB_BYTES);
    expect(tokensOf(few.events)).toEqual(tokensOf(all.events));
    for (const [i, reply] of all.events.entries())
      for (const [t, { logprob, top }] of reply.entries()) {
        const event = few.events[i]![t]!;
        expect(event.top?.map(({ token }) => token)).toEqual(top?.map(({ token }) => token));
        if (logprob !== undefined) expect(event.logprob).toBeCloseTo(logprob, 4);
      }
  });
});

it('reads what each needs of a batch of both kinds', async () => {
  const greedy = { sampling: { temperature: 0 } };
  const free = { sampling: { seed: 5 }, samplingProbs: 3 };
  const { events, read } = await generate([greedy, free]);
  expect(tokensOf(events)).toEqual([
    ...tokensOf((await generate([greedy])).events),
    tokensOf((await generate([greedy, free])).events)[1],
  ]);
  expect(read.filter((bytes) => bytes === VOCAB_BYTES)).toHaveLength(12);
  expect(read.filter((bytes) => bytes < 100)).toHaveLength(12);
  for (const { token, probability, likeliest } of events[1]!) {
    expect(likeliest!.length).toBeLessThanOrEqual(3);
    const same = likeliest!.find((one) => one.token === token);
    if (same) expect(probability).toBe(same.probability);
    expect(probability).toBeGreaterThan(0);
  }
});
