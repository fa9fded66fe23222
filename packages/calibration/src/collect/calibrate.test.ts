// The loop around the model, on the smallest real model that there is: resuming, stopping, the least number of rows.
import { fileURLToPath } from 'node:url';
import type { ModelView } from '@quern/checkpoint';
import { loadModel, type Model, openModel } from '@quern/models';
import { cpuDevice, type Device, referenceDevice } from '@quern/runtime';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ImportanceEntry } from '../imatrix/importance-matrix.ts';
import { calibrate, calibrationLoadOptions } from './calibrate.ts';
import { ImportanceCollector } from './collector.ts';
import { shortfalls } from './coverage.ts';

const chunkSize = 20;
const chunks = Array.from({ length: 6 }, (_, chunk) =>
  Int32Array.from({ length: chunkSize }, (_, i) => (3 + 17 * i + 101 * chunk) % 256),
);
const path = fileURLToPath(new URL('../../../../test/models/arch/llama-spm', import.meta.url));

let view: ModelView;
let device: Device;
let model: Model;
beforeAll(async () => {
  view = await openModel(path);
  device = await cpuDevice({ threads: 1 });
  model = await loadModel(view, device, { batchTokens: 8, cells: chunkSize });
});
afterAll(async () => {
  await device.dispose();
  await view.close();
});

test('sums over chunks and batches, and counts their tokens', async () => {
  const { entries, ...rest } = await calibrate(model, chunks, { datasets: ['t'] });
  expect(rest).toEqual({ datasets: ['t'], chunkCount: 6, chunkSize });
  for (const { counts } of entries.values()) expect([...counts]).toEqual([6 * chunkSize]);
  expect([...entries.keys()].some((name) => !name.startsWith('blk.'))).toBe(false);
});

test('the output projection only when asked for', async () => {
  const { entries } = await calibrate(model, chunks, { datasets: [], maxChunks: 1, processOutput: true });
  expect([...entries.get('output.weight')!.counts]).toEqual([chunkSize]);
});

test('going on from a snapshot gives the bits of a run that was never stopped', async () => {
  const whole = await calibrate(model, chunks, { datasets: [] });
  const half = await calibrate(model, chunks, { datasets: [], maxChunks: 3 });
  expect(half.chunkCount).toBe(3);
  const seen: number[] = [];
  const rest = await calibrate(model, chunks, {
    datasets: [],
    resume: half,
    onChunk: ({ chunksDone }) => void seen.push(chunksDone),
  });
  expect(seen).toEqual([4, 5, 6]);
  expect([...rest.entries]).toEqual([...whole.entries]);
});

test('a model shared by two devices gives the bits of one, also when it goes on', async () => {
  const whole = await calibrate(model, chunks, { datasets: [] });
  const other = await cpuDevice({ threads: 1 });
  const shared = await loadModel(view, [device, other], { batchTokens: 8, cells: chunkSize });
  const half = await calibrate(shared, chunks, { datasets: [], maxChunks: 3 });
  expect([...(await calibrate(shared, chunks, { datasets: [], resume: half })).entries]).toEqual([...whole.entries]);
  shared.dispose();
  await other.dispose();
});

test('goes on until every matrix has seen the least number of rows, or the chunks end', async () => {
  const run = (minimumRows: number) => calibrate(model, chunks, { datasets: [], maxChunks: 2, minimumRows });
  expect((await run(2 * chunkSize)).chunkCount).toBe(2);
  expect((await run(2 * chunkSize + 1)).chunkCount).toBe(3);
  expect((await run(1000)).chunkCount).toBe(6);
});

describe('a mixture of experts', () => {
  let mixture: Model;
  let mixtureView: ModelView;
  beforeAll(async () => {
    mixtureView = await openModel(fileURLToPath(new URL('../../../../test/models/arch/qwen3moe', import.meta.url)));
    mixture = await loadModel(mixtureView, device, { batchTokens: 8, cells: chunkSize });
  });
  afterAll(async () => {
    mixture.dispose();
    await mixtureView.close();
  });
  const rowsOf = (entries: ReadonlyMap<string, ImportanceEntry>) =>
    [...entries]
      .filter(([, { counts }]) => counts.length > 1)
      .map(([name, { counts }]) => ({ name, counts: [...counts] }));

  test('every token goes to as many experts as the router takes', async () => {
    const { entries } = await calibrate(mixture, chunks, { datasets: [] });
    const used = mixtureView.metadata.get('qwen3moe.expert_used_count')!.value as number;
    const stacks = rowsOf(entries);
    expect(stacks.length).toBe(3 * mixture.hyperparameters.blockCount);
    for (const { name, counts } of stacks)
      expect(
        counts.reduce((a, b) => a + b),
        name,
      ).toBe(used * chunks.length * chunkSize);
  });

  test('sampling goes on until the router has sent every expert enough', async () => {
    const run = (minimumRows: number | undefined) =>
      calibrate(mixture, chunks, { datasets: [], maxChunks: 1, minimumRows });
    const first = await run(undefined);
    expect(first.chunkCount).toBe(1);
    const least = Math.min(...rowsOf(first.entries).flatMap(({ counts }) => counts));
    const more = await run(least + 1);
    expect(more.chunkCount).toBeGreaterThan(1);
    if (more.chunkCount < chunks.length) expect(shortfalls(more.entries, least + 1)).toEqual([]);
    expect(shortfalls((await run(1e6)).entries, 1e6)).not.toEqual([]);
  });

  test('going on from a snapshot gives the same bits', async () => {
    const whole = await calibrate(mixture, chunks, { datasets: [] });
    const half = await calibrate(mixture, chunks, { datasets: [], maxChunks: 3 });
    const rest = await calibrate(mixture, chunks, { datasets: [], resume: half });
    expect([...rest.entries]).toEqual([...whole.entries]);
  });
});

test('stops after the chunk at work when the signal says so', async () => {
  const abort = new AbortController();
  const done: number[] = [];
  const onChunk = ({ chunksDone }: { chunksDone: number }) => {
    done.push(chunksDone);
    if (chunksDone === 2) abort.abort(new Error('enough'));
  };
  await expect(calibrate(model, chunks, { datasets: [], onChunk, signal: abort.signal })).rejects.toThrow('enough');
  expect(done).toEqual([1, 2]);
});

test('gives all device memory back', async () => {
  const small = referenceDevice({ memoryBytes: 4 * 8 });
  const collector = new ImportanceCollector(small);
  for (let i = 0; i < 3; i++) {
    const input = small.alloc('F32', [1, 4]);
    small.write(input, new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer));
    collector.onMatmulInput('blk.0.w', input);
    expect([...(await collector.entries()).get('blk.0.w')!.sums]).toEqual([1, 4, 9, 16]);
    small.free(input);
    collector.dispose();
  }
});

test('a model that computes no numbers is named with the weight, at once', async () => {
  const broken = await loadModel(view, device, { batchTokens: 8, cells: chunkSize });
  const poisoned: Model = {
    ...broken,
    prefill: (batch, observer) =>
      broken.prefill(batch, {
        onMatmulInput: (name, input, on) => {
          if (name === 'blk.1.ffn_down.weight') {
            const [rows, cols] = input.shape as [number, number];
            device.write(input, new Uint8Array(new Float32Array(rows * cols).fill(Number.NaN).buffer));
          }
          observer!.onMatmulInput(name, input, on);
        },
        onExpertInput: (...call) => observer!.onExpertInput(...call),
      }),
  };
  const done: number[] = [];
  const onChunk = ({ chunksDone }: { chunksDone: number }) => void done.push(chunksDone);
  await expect(calibrate(poisoned, chunks, { datasets: [], onChunk })).rejects.toMatchObject({
    code: 'imatrix-bad-sum',
    tensor: 'blk.1.ffn_down.weight',
  });
  expect(done).toEqual([]);
  broken.dispose();
});

describe('refuses', () => {
  test.each<[string, Int32Array[]]>([
    ['calibration-no-chunks', []],
    ['calibration-no-chunks', [new Int32Array(20), new Int32Array(19)]],
    ['calibration-cache-too-small', [new Int32Array(400)]],
  ])('%s', async (code, given) => {
    await expect(calibrate(model, given, { datasets: [] })).rejects.toMatchObject({ code });
  });
});

test('load options keep the logits of a large vocabulary small', () => {
  expect(calibrationLoadOptions(128_256, 2048)).toEqual({ batchTokens: 512, cells: 2048, maxOutputs: 1 });
  const { batchTokens, maxOutputs } = calibrationLoadOptions(128_256, 2048, { processOutput: true });
  expect(batchTokens).toBe(maxOutputs);
  expect(4 * batchTokens * 128_256).toBeLessThan(65 * 2 ** 20);
});

test('shortfalls name the experts that saw too little', () => {
  const entries = new Map([
    ['a', { sums: new Float32Array(6), counts: Float32Array.of(10, 0, 3) }],
    ['b', { sums: new Float32Array(2), counts: Float32Array.of(13) }],
  ]);
  expect(shortfalls(entries, 1)).toEqual([{ tensor: 'a', matrices: [1] }]);
  expect(shortfalls(entries, 4)).toEqual([{ tensor: 'a', matrices: [1, 2] }]);
});

describe('draft blocks', () => {
  const draftPath = fileURLToPath(new URL('../../../../test/models/arch/qwen35', import.meta.url));
  const draftEntries = async (
    draft: boolean,
    maxChunks: number,
    resume?: Parameters<typeof calibrate>[2]['resume'],
  ) => {
    const opened = await openModel(draftPath);
    const drafting = await loadModel(opened, device, { batchTokens: 8, cells: chunkSize, draft });
    try {
      return await calibrate(drafting, chunks, { datasets: [], maxChunks, resume });
    } finally {
      drafting.dispose();
      await opened.close();
    }
  };

  test('every matrix of theirs sees the pairs of a chunk, whatever the batches', async () => {
    const opened = await openModel(draftPath);
    const matrices = [...opened.tensors.values()]
      .filter(({ name, shape }) => name.startsWith('blk.4.') && shape.length === 2)
      .map(({ name }) => name);
    await opened.close();
    expect(matrices).toContain('blk.4.nextn.eh_proj.weight');
    const { entries } = await draftEntries(true, 2);
    for (const name of matrices) expect([...entries.get(name)!.counts], name).toEqual([2 * (chunkSize - 1)]);
    expect([...(await draftEntries(false, 2)).entries.keys()].filter((name) => name.startsWith('blk.4.'))).toEqual([]);
  });

  test('the others see what they saw, and a run that goes on gives the same bits', async () => {
    const [whole, without] = [await draftEntries(true, 3), await draftEntries(false, 3)];
    for (const [name, entry] of without.entries) expect(whole.entries.get(name), name).toEqual(entry);
    const half = await draftEntries(true, 1);
    expect([...(await draftEntries(true, 3, half)).entries]).toEqual([...whole.entries]);
  });
});
