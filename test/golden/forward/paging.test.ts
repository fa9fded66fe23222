// However sequences are cut into batches, mixed with each other and scattered over the cache, their logits stay the same.
import { openGgufModel } from '@quern/checkpoint';
import type { Model } from '@quern/models';
import { cpuDevice, referenceDevice } from '@quern/runtime';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { allLogits, maxDifference, testPath, withModel } from './recorded.ts';

/** The reference sums alike for every batch; the CPU kernels add in another order for few tokens than for many (2e-5). */
const tolerances: Record<string, number> = { reference: 0, cpu: 1e-4 };
const BLOCK_TOKENS = 4;
const BLOCKS = 40;
const VOCAB = 512;

/** Three sequences, how many tokens each gives to every batch, and an order of the cache's blocks. */
const plans = fc.record({
  sequences: fc.array(fc.array(fc.integer({ min: 0, max: VOCAB - 1 }), { minLength: 1, maxLength: 40 }), {
    minLength: 3,
    maxLength: 3,
  }),
  takes: fc.infiniteStream(fc.tuple(fc.nat({ max: 6 }), fc.nat({ max: 6 }), fc.nat({ max: 6 }))),
  blockOrder: fc.shuffledSubarray(
    Array.from({ length: BLOCKS }, (_, i) => i),
    { minLength: BLOCKS, maxLength: BLOCKS },
  ),
});

async function interleaved(
  model: Model,
  plan: { sequences: number[][]; takes: Iterable<number[]>; blockOrder: number[] },
) {
  const { sequences, blockOrder } = plan;
  const perSequence = Math.ceil(40 / BLOCK_TOKENS);
  const blockTable = new Int32Array(sequences.length * model.tableWidth).fill(-1);
  for (let s = 0; s < sequences.length; s++)
    blockTable.set(blockOrder.slice(s * perSequence, (s + 1) * perSequence), s * model.tableWidth);

  const done = sequences.map(() => 0);
  const logits = sequences.map((ids) => new Float32Array(ids.length * VOCAB));
  for (const takes of plan.takes) {
    const rows = sequences.flatMap((ids, s) =>
      ids.slice(done[s], done[s] + takes[s]).map((token, i) => ({ token, s, position: done[s] + i })),
    );
    if (rows.length > 0) {
      const out = await model.forward({
        tokens: Int32Array.from(rows, (row) => row.token),
        positions: Int32Array.from(rows, (row) => row.position),
        seqs: Int32Array.from(rows, (row) => row.s),
        blockTable,
        outputRows: Int32Array.from(rows, (_, i) => rows.length - 1 - i), // any order of rows may be asked for
      });
      const values = new Float32Array((await model.device.read(out)).buffer);
      for (const [i, { s, position }] of [...rows].reverse().entries())
        logits[s].set(values.subarray(i * VOCAB, (i + 1) * VOCAB), position * VOCAB);
    }
    for (const [s, ids] of sequences.entries()) done[s] = Math.min(ids.length, done[s] + takes[s]);
    if (sequences.every((ids, s) => done[s] === ids.length)) return logits;
  }
  throw new Error('unreachable: the stream of takes is infinite');
}

const devices = [referenceDevice(), await cpuDevice({ threads: 2 })];
afterAll(() => Promise.all(devices.map((device) => device.dispose())));

describe.each(devices)('paged batches on the $name device', (device) => {
  it.each(['llama3', 'qwen3', 'qwen2moe'])('%s: same logits as one sequence at once', async (name) => {
    const open = () => openGgufModel(testPath(`models/arch/${name}/llama.cpp-bf16.gguf`));
    const paged = { batchTokens: 32, cells: BLOCKS * BLOCK_TOKENS, blockTokens: BLOCK_TOKENS, maxSequences: 3 };
    await withModel(await open(), device, { batchTokens: 64 }, async (alone) => {
      await withModel(await open(), device, paged, async (model) => {
        await fc.assert(
          fc.asyncProperty(plans, async (plan) => {
            const mixed = await interleaved(model, plan);
            for (const [s, ids] of plan.sequences.entries())
              expect(maxDifference(mixed[s], await allLogits(alone, Int32Array.from(ids)))).toBeLessThanOrEqual(
                tolerances[device.name],
              );
          }),
          { numRuns: 12 },
        );
      });
    });
  });
});
