// A model shared by several devices gives the logits of the model on one: the same bits when layers are split over devices
// of one kind, the same numbers up to the order of additions when rows are.
import { openModel, type PlacementOptions, planPlacement } from '@quern/models';
import { cpuDevice, type Device, referenceDevice } from '@quern/runtime';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allLogits, maxDifference, openWith, recordedFloats, recordedInts, testPath, withModel } from './recorded.ts';

const LAYERS = 5; // four blocks and the output
const cpus: Device[] = [];
beforeAll(async () => {
  for (let i = 0; i < 3; i++) cpus.push(await cpuDevice({ threads: 1, memoryBytes: 32 * 2 ** 20 }));
});
afterAll(() => Promise.all(cpus.map((device) => device.dispose())));

const ids = Int32Array.from({ length: 40 }, (_, i) => (i * i * 7 + 3) % 512);

/** Batches of 16, so that later ones read what earlier ones left in the caches of every device. */
async function logitsOn(name: string, devices: Device | readonly Device[], placement: PlacementOptions = {}) {
  const view = await openModel(testPath(`models/arch/${name}`));
  return withModel(view, devices, { batchTokens: 16, cells: 64, ...placement }, (model) => allLogits(model, ids));
}

const models = ['llama3', 'qwen2', 'mixtral', 'qwen2moe', 'llama3/llama.cpp-q8_0.gguf'];

describe.each(models)('layers of %s', (name) => {
  let whole: Float32Array;
  beforeAll(async () => {
    whole = await logitsOn(name, cpus[0]!);
  });

  it('on two CPU devices, cut anywhere: the same bits', async () => {
    for (let first = 0; first <= LAYERS; first++) {
      const split = await logitsOn(name, cpus.slice(0, 2), { layers: [first, LAYERS - first] });
      expect(maxDifference(split, whole), `${first} layers on the first`).toBe(0);
    }
  });

  it('on three CPU devices, some of them idle: the same bits', async () => {
    const cuts = fc.tuple(fc.nat({ max: LAYERS }), fc.nat({ max: LAYERS })).map((pair) => pair.sort((a, b) => a - b));
    const onThree = async ([a, b]: number[]) => {
      const split = await logitsOn(name, cpus, { layers: [a!, b! - a!, LAYERS - b!] });
      expect(maxDifference(split, whole)).toBe(0);
    };
    await fc.assert(fc.asyncProperty(cuts, onThree), { numRuns: 8 });
  });

  it('on the CPU and the reference: the same numbers', async () => {
    for (const devices of [
      [cpus[0]!, referenceDevice()],
      [referenceDevice(), cpus[0]!],
    ])
      expect(maxDifference(await logitsOn(name, devices), whole)).toBeLessThan(1e-4);
  });

  it.each([1, 2])('by rows on %i devices: the same numbers', async (ranks) => {
    const split = await logitsOn(name, cpus.slice(0, ranks), { split: 'row' });
    expect(maxDifference(split, whole)).toBeLessThan(ranks === 1 ? Number.MIN_VALUE : 1e-5);
    const again = await logitsOn(name, cpus.slice(0, ranks), { split: 'row' });
    expect(maxDifference(again, split)).toBe(0);
  });
});

it.each(['llama3', 'qwen3moe', 'stablelm-parallel'])(
  '%s by rows on unlike devices agrees with transformers',
  async (name) => {
    const recorded = `models/arch/${name}/expected.safetensors`;
    const tokens = recordedInts(recorded, 'input_ids').slice(0, 48);
    const view = await openModel(testPath(`models/arch/${name}`));
    const devices = [referenceDevice(), cpus[0]!];
    const ours = await withModel(view, devices, { split: 'row' }, (model) => allLogits(model, tokens));
    expect(maxDifference(ours, recordedFloats(recorded, 'logits').subarray(0, ours.length))).toBeLessThan(1e-4);
  },
);

describe('a plan', () => {
  const sizes = { batchTokens: 16, cells: 64 };
  const capacity = (memoryBytes: number) => ({ name: 'some', limits: { memoryBytes } });
  const open = () => openModel(testPath('models/arch/qwen2moe'));

  it('counts what loading takes, to the byte', async () => {
    const view = await open();
    for (const options of [{ layers: [2, 3] }, { layers: [4, 1] }, { split: 'row' }] as const) {
      const { devices } = planPlacement(view, [capacity(1e9), capacity(1e9)], { ...sizes, ...options });
      const bytes = devices.map((share) => share.weightBytes + share.kvBytes + share.activationBytes);
      const exact = bytes.map((memoryBytes) => referenceDevice({ memoryBytes }));
      await withModel(await open(), exact, { ...sizes, ...options }, async (model) => {
        expect(model.placement.devices.map(({ device: _, memoryBytes: __, ...share }) => share)).toEqual(
          devices.map(({ device: _, memoryBytes: __, ...share }) => share),
        );
        for (const [i, device] of exact.entries())
          expect(() => device.alloc('I32', [1]), `device ${i} is full`).toThrow(/cannot hold 4 bytes more/);
        expect(model.memory.weightBytes).toBe(devices[0]!.weightBytes + devices[1]!.weightBytes);
      });
      const short = [capacity(bytes[0]!), capacity(bytes[1]! - 1)];
      expect(() => planPlacement(view, short, { ...sizes, ...options })).toThrow(
        expect.objectContaining({
          code: 'model-too-large',
          message: expect.stringMatching(`needs ${bytes[1]} .*may hold ${bytes[1]! - 1}`),
        }),
      );
    }
    await view.close();
  });

  it('fills the last device, then the one before', async () => {
    const view = await open();
    const [all] = planPlacement(view, [capacity(1e9)], sizes).devices;
    const bytes = all!.weightBytes + all!.kvBytes + all!.activationBytes;
    await fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 2 * bytes }), { minLength: 1, maxLength: 4 }), (budgets) => {
        const devices = budgets.map(capacity);
        const layers = budgets.map(() => 'fill' as const);
        let placed: ReturnType<typeof planPlacement>['devices'];
        try {
          placed = planPlacement(view, devices, { ...sizes, layers }).devices;
        } catch (error) {
          expect(error).toMatchObject({ code: 'model-too-large' });
          return;
        }
        let block = 0;
        for (const [i, share] of placed.entries()) {
          expect(share.firstBlock).toBe(block);
          block = share.endBlock;
          expect([share.embedding, share.output]).toEqual([i === 0, i === placed.length - 1]);
          expect(share.weightBytes + share.kvBytes + share.activationBytes).toBeLessThanOrEqual(share.memoryBytes);
        }
        expect(block).toBe(4);
        // One layer more would not have fitted on any device but the first.
        const counts = placed.map(({ firstBlock, endBlock, output }) => endBlock - firstBlock + (output ? 1 : 0));
        const used = devices.slice(devices.length - placed.length);
        for (let i = 1; i < placed.length; i++) {
          const more = counts.slice();
          more[i]!++;
          more[i - 1]!--;
          const larger = used.map(({ limits }, n) => capacity(n === i ? 0.98 * limits.memoryBytes : 1e9));
          expect(() => planPlacement(view, larger, { ...sizes, layers: more })).toThrow(/needs/);
        }
      }),
      { numRuns: 60 },
    );
    await view.close();
  });

  it('loads onto devices that are each too small for the model', async () => {
    const view = await openModel(testPath('models/arch/mixtral'));
    const [all] = planPlacement(view, [capacity(1e9)], sizes).devices;
    const memoryBytes = Math.ceil((all!.weightBytes + all!.kvBytes + all!.activationBytes) / 2.5);
    const arenas = await Promise.all(Array.from({ length: 4 }, () => cpuDevice({ threads: 1, memoryBytes })));
    const options = { ...sizes, layers: arenas.map(() => 'fill' as const) };
    const ours = await withModel(view, arenas, options, async (model) => {
      expect(model.placement.devices.length).toBeGreaterThan(2);
      return allLogits(model, ids);
    });
    expect(maxDifference(ours, await logitsOn('mixtral', cpus[0]!))).toBe(0);
    for (const arena of arenas) await arena.dispose();
  });

  it.each<[string, number, object, object]>([
    ['heads', 3, { split: 'row' }, { code: 'placement-not-divisible', message: /2 key-value heads .* over 3/ }],
    ['layers of another model', 2, { layers: [2, 2] }, { code: 'placement-invalid', message: /the model has 5/ }],
    ['layers for other devices', 2, { layers: [5] }, { code: 'placement-invalid', message: /on 2 devices/ }],
    ['half a layer', 2, { layers: [2.5, 2.5] }, { code: 'placement-invalid' }],
    ['no device', 0, {}, { code: 'placement-invalid' }],
    ['an unknown split', 2, { split: 'column' }, { code: 'placement-invalid', message: /known: layer, row/ }],
  ])('refuses %s', async (_, count, options, error) => {
    const view = await open();
    const devices = Array.from({ length: count }, () => capacity(1e9));
    const { message = /./, ...rest } = error as { message?: RegExp };
    expect(() => planPlacement(view, devices, { ...sizes, ...options })).toThrow(
      expect.objectContaining({ ...rest, message: expect.stringMatching(message) }),
    );
    await view.close();
  });

  it('refuses to cut blocks of a quantized row', async () => {
    const view = await openWith('models/tiny-llama/expected/llama.cpp-bf16.gguf');
    const { dtypeByName, rowBytes } = await import('@quern/blocks');
    const dtype = dtypeByName('Q4_K');
    const tensors = new Map(
      [...view.tensors].map(([name, tensor]) =>
        name.includes('attn_output')
          ? [name, { ...tensor, dtype, rowBytes: rowBytes(dtype, tensor.cols) }]
          : [name, tensor],
      ),
    );
    const devices = [capacity(1e9), capacity(1e9)];
    expect(() => planPlacement({ ...view, tensors }, devices, { ...sizes, split: 'row' })).toThrow(
      expect.objectContaining({
        code: 'placement-not-divisible',
        tensor: 'blk.0.attn_output.weight',
        message: expect.stringMatching(/256 Q4_K weights in blocks of 256/),
      }),
    );
    await view.close();
  });
});
