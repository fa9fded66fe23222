// The forward pass with rounded keys and values: how far each type moves the predictions, that every device rounds alike,
// and that a model on several devices, its memory counted to the byte, gives the same.
import { type CacheTypes, describeCacheTypes, openModel, type PlacementOptions, planPlacement } from '@quern/models';
import { cpuDevice, type Device, referenceDevice } from '@quern/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allLogits, maxDifference, testPath, withModel } from './recorded.ts';

const cpus: Device[] = [];
beforeAll(async () => {
  for (let i = 0; i < 2; i++) cpus.push(await cpuDevice({ threads: 1, memoryBytes: 64 * 2 ** 20 }));
});
afterAll(() => Promise.all(cpus.map((device) => device.dispose())));

const TINY_LLAMA = 'models/tiny-llama';
const VOCAB = 4096;
const ids = Int32Array.from({ length: 96 }, (_, i) => (i * i * 37 + 11 * i + 5) % VOCAB);

/** Batches of 16: most keys and values are read from the cache by a later batch. */
async function logitsOn(devices: Device | readonly Device[], cacheTypes: CacheTypes, placement: PlacementOptions = {}) {
  const view = await openModel(testPath(TINY_LLAMA));
  const options = { batchTokens: 16, cells: 128, cacheTypes, ...placement };
  return withModel(view, devices, options, (model) => allLogits(model, ids));
}

const both = (type: CacheTypes['k']): CacheTypes => ({ k: type, v: type });

/** Mean and largest KL(truth ‖ ours) over positions, in nats. */
function divergence(truth: Float32Array, ours: Float32Array): { mean: number; most: number } {
  const rows = truth.length / VOCAB;
  const each = Array.from({ length: rows }, (_, row) => {
    const [p, q] = [truth, ours].map((all) => logSoftmax(all.subarray(row * VOCAB, (row + 1) * VOCAB)));
    return p!.reduce((sum, logP, i) => sum + Math.exp(logP) * (logP - q![i]!), 0);
  });
  return { mean: each.reduce((a, b) => a + b) / rows, most: Math.max(...each) };
}

function logSoftmax(logits: Float32Array): Float64Array {
  const max = Math.max(...logits);
  const total = Math.log(logits.reduce((sum, value) => sum + Math.exp(value - max), 0));
  return Float64Array.from(logits, (value) => value - max - total);
}

describe('tiny-llama with a cache of', () => {
  let exact: Float32Array;
  beforeAll(async () => {
    exact = await logitsOn(cpus[0]!, both('F32'));
  });

  const expected: [CacheTypes, mean: number][] = [
    [both('F16'), 2e-7],
    [both('Q8_0'), 4e-5],
    [{ k: 'F16', v: 'Q8_0' }, 5e-5],
    [both('Q4_0'), 8e-3],
  ];
  it.each(expected)('%o predicts nearly the same', async (types, limit) => {
    const { mean, most } = divergence(exact, await logitsOn(cpus[0]!, types));
    const show = (value: number) => value.toExponential(2);
    console.log(
      `tiny-llama, cache of ${describeCacheTypes(types)}: mean KL from F32 ${show(mean)}, most ${show(most)}`,
    );
    expect(mean).toBeGreaterThan(0); // it was rounded
    expect(mean).toBeLessThan(limit);
  });
});

describe.each<CacheTypes>([both('F16'), { k: 'Q8_0', v: 'F16' }, { k: 'F32', v: 'Q4_0' }])('a cache of %o', (types) => {
  let whole: Float32Array;
  beforeAll(async () => {
    whole = await logitsOn(cpus[0]!, types);
  });

  it('is the same on two devices, split by layers anywhere', async () => {
    for (const first of [1, 3]) {
      const split = await logitsOn(cpus, types, { layers: [first, 5 - first] });
      expect(maxDifference(split, whole)).toBe(0);
    }
  });

  // Sums in another order fall to the other side of a rounding now and then.
  it('predicts the same split by rows, and on the reference', async () => {
    expect(divergence(whole, await logitsOn(cpus, types, { split: 'row' })).mean).toBeLessThan(1e-4);
    expect(divergence(whole, await logitsOn(referenceDevice(), types)).mean).toBeLessThan(1e-4);
  });

  it('is counted to the byte', async () => {
    const view = await openModel(testPath(TINY_LLAMA));
    const sizes = { batchTokens: 16, cells: 128, cacheTypes: types, split: 'row' } as const;
    const capacity = { name: 'some', limits: { memoryBytes: 1e9 } };
    const { devices } = planPlacement(view, [capacity, capacity], sizes);
    const cellBytes = { F32: 4 * 64, F16: 2 * 64, Q8_0: 2 * 34, Q4_0: 2 * 18 }; // of one head
    const kvBytes = 4 * 128 * (cellBytes[types.k] + cellBytes[types.v]);
    expect(devices.map((share) => share.kvBytes)).toEqual([kvBytes, kvBytes]);
    const exact = devices.map((share) =>
      referenceDevice({ memoryBytes: share.weightBytes + share.kvBytes + share.activationBytes }),
    );
    await withModel(view, exact, sizes, async () => {
      for (const device of exact) expect(() => device.alloc('I32', [1])).toThrow(/cannot hold 4 bytes more/);
    });
  });
});
