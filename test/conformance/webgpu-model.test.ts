// Whole models on the WebGPU device: the recorded logits of transformers, within the tolerance that the CPU device has.
import { Engine } from '@quern/engine';
import { openModel } from '@quern/models';
import { type CacheType, cpuDevice, type Device, type WebgpuDevice, webgpuDevice } from '@quern/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  allLogits,
  maxDifference,
  recordedFloats,
  recordedInts,
  recordedTensor,
  testPath,
  withModel,
} from '../golden/forward/recorded.ts';
import { nmse } from './case.ts';
import { useSwiftShader } from './software-gpu.ts';

interface CacheTypes {
  readonly k: CacheType;
  readonly v: CacheType;
}
const bytesOf = (values: Float32Array) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

const TOLERANCE = 1e-4; // as in test/golden/forward
const missing = useSwiftShader();
const families = {
  'a lane per row': { teams: false },
  'workgroups with subgroups': { teams: true },
};

describe.skipIf(missing).each(Object.entries(families))(
  `logits on webgpu, %s${missing ? ` (skipped: ${missing})` : ''}, equal transformers`,
  (_title, capabilities) => {
    let device: WebgpuDevice;
    beforeAll(async () => {
      device = await webgpuDevice({ software: true, capabilities });
    });
    afterAll(() => device.dispose());

    it.each(['llama3', 'qwen3', 'qwen2/llama.cpp-bf16.gguf', 'qwen3moe', 'qwen2moe'])('%s', async (path) => {
      const recorded = `models/arch/${path.split('/')[0]}/expected.safetensors`;
      const [, tokens] = recordedTensor(recorded, 'input_ids').shape;
      const ids = recordedInts(recorded, 'input_ids').slice(0, tokens);
      await withModel(await openModel(testPath(`models/arch/${path}`)), device, {}, async (model) => {
        const ours = await allLogits(model, ids);
        expect(maxDifference(ours, recordedFloats(recorded, 'logits').subarray(0, ours.length))).toBeLessThan(
          TOLERANCE,
        );
      });
    });
  },
);

describe.skipIf(missing)(`a model on webgpu${missing ? ` (skipped: ${missing})` : ''}`, () => {
  let device: WebgpuDevice;
  beforeAll(async () => {
    device = await webgpuDevice({ software: true });
  });
  afterAll(() => device.dispose());
  const blockTable = Int32Array.of(0);
  const batchOf = (tokens: readonly number[], first: number) => ({
    tokens: Int32Array.from(tokens),
    positions: Int32Array.from(tokens, (_, i) => first + i),
    seqs: new Int32Array(tokens.length),
    outputRows: Int32Array.of(tokens.length - 1),
    blockTable,
  });

  it('takes one submit and one readback per token, and a known number of dispatches', async () => {
    const view = await openModel(testPath('models/tiny-llama'));
    await withModel(view, device, { cells: 32, blockTokens: 32 }, async (model) => {
      await device.read(await model.forward(batchOf([1, 20, 300], 0)));
      const perBlock = 17; // 2 norms, 7 matmuls, 2 ropes, 2 cache writes, attention, activation, 2 additions
      const atTheEnds = 4; // embed, gather, norm, output matrix
      for (let position = 3; position < 6; position++) {
        const before = device.counts;
        await device.read(await model.forward(batchOf([7], position)));
        const { submits, dispatches, readbacks } = device.counts;
        expect(submits - before.submits).toBe(1);
        expect(readbacks - before.readbacks).toBe(1);
        expect(dispatches - before.dispatches).toBe(perBlock * model.hyperparameters.blockCount + atTheEnds);
      }
      const idle = device.memory;
      expect(idle.usedBytes + idle.idleBytes).toBeLessThanOrEqual(device.limits.memoryBytes);
    });
    const { usedBytes } = device.memory;
    expect(usedBytes).toBeLessThan(2 ** 20); // tables and scratch memory; the model's went back to the pool
  });

  it('gives its memory to the next model without new buffers', async () => {
    const load = async () => {
      const view = await openModel(testPath('models/tiny-llama'));
      await withModel(view, device, { cells: 32, blockTokens: 32 }, async (model) => {
        await device.read(await model.forward(batchOf([1, 20], 0)));
      });
      return device.memory;
    };
    const first = await load();
    expect(await load()).toEqual(first);
  });

  /** Logits of a model whose head rows are whole blocks of every cache type, with activations as the devices have them. */
  async function logitsOn(where: Device, cacheTypes: CacheTypes): Promise<Float32Array> {
    const view = await openModel(testPath('models/tiny-llama'));
    return withModel(view, where, { cells: 32, cacheTypes }, (model) =>
      allLogits(
        model,
        Int32Array.from({ length: 24 }, (_, i) => 7 * i + 1),
      ),
    );
  }

  it.each([
    { k: 'F16', v: 'F16' },
    { k: 'Q8_0', v: 'Q8_0' },
    { k: 'Q8_0', v: 'Q4_0' },
  ] as const)('with caches of $k and $v gives what the cpu device gives', async (types) => {
    const cpu = await cpuDevice({ threads: 1 });
    const expected = await logitsOn(cpu, types);
    await cpu.dispose();
    const ours = await logitsOn(device, types);
    // A key that lies between two codes may get either, where the last bits of what is stored differ.
    expect(nmse(bytesOf(ours), bytesOf(expected))).toBeLessThan(1e-4);
    const exact = await logitsOn(device, { k: 'F32', v: 'F32' });
    expect(nmse(bytesOf(ours), bytesOf(exact))).toBeGreaterThan(1e-9);
  });

  it('is named where it becomes NaN', async () => {
    const view = await openModel(testPath('models/tiny-llama'));
    const name = 'blk.2.ffn_norm.weight';
    const norm = view.tensors.get(name)!;
    const broken = {
      ...norm,
      rowBytes: norm.rowBytes,
      async readRows(_first: number, _count: number, into: Uint8Array) {
        into.fill(0xff); // NaN in every float type
      },
    };
    const tensors = new Map([...view.tensors, [name, broken]]);
    const changed = { path: view.path, metadata: view.metadata, tensors, close: () => view.close() };
    await withModel(changed, device, { cells: 32, blockTokens: 32 }, async (model) => {
      expect(await model.locateNonFinite(batchOf([1, 20], 0))).toMatch(/blk\.2|block 2/);
    });
  });
});

describe.skipIf(missing)(`a device that binds little${missing ? ` (skipped: ${missing})` : ''}`, () => {
  const moe = 'models/arch/qwen2moe';
  const expected = `${moe}/expected.safetensors`;
  const ids = recordedInts(expected, 'input_ids').slice(0, recordedTensor(expected, 'input_ids').shape[1]);
  const truth = recordedFloats(expected, 'logits');

  /** Logits by a device of such a limit, alone or with the CPU beside it; and the placement. */
  async function run(maxBindingBytes: number, beside: readonly Device[] = [], family = {}) {
    const device = await webgpuDevice({ software: true, capabilities: { maxBindingBytes, ...family } });
    const devices = [...beside, device];
    const view = await openModel(testPath(moe));
    const layers = beside.length > 0 ? devices.map(() => 'fill' as const) : undefined;
    try {
      return await withModel(view, devices, { batchTokens: 8, cells: 64, layers }, async (model) => ({
        logits: await allLogits(model, ids),
        placement: model.placement.devices,
      }));
    } finally {
      await device.dispose();
    }
  }

  it('computes with stacks of experts that lie in several buffers', async () => {
    const view = await openModel(testPath(moe));
    const stacks = [...view.tensors.values()].filter(({ name }) => name.endsWith('_exps.weight'));
    const limit = 4096;
    expect(stacks.length > 0 && stacks.every(({ rows, rowBytes }) => rows * rowBytes > limit)).toBe(true);
    await view.close();
    const { logits } = await run(limit);
    expect(maxDifference(logits, truth.subarray(0, logits.length))).toBeLessThan(TOLERANCE);
  });

  it('refuses a model before it reads a weight, and leaves to the CPU what it cannot bind', async () => {
    const limit = 1536;
    // What is bound does not depend on the family of kernels; this one is compiled sooner.
    const family = { teams: false };
    await expect(run(limit, [], family)).rejects.toMatchObject({
      code: 'device-binding-limit',
      message: expect.stringMatching(/logits has \d+ bytes; the webgpu device binds 1536 at a time/),
    });
    const cpu = await cpuDevice({ threads: 1 });
    const { logits, placement } = await run(limit, [cpu], family);
    await cpu.dispose();
    expect(placement.map(({ device }) => device)).toEqual(['cpu']);
    expect(maxDifference(logits, truth.subarray(0, logits.length))).toBeLessThan(TOLERANCE);
  });
});

describe.skipIf(missing)(`the engine on webgpu${missing ? ` (skipped: ${missing})` : ''}`, () => {
  it('generates in its worker what it generates on the cpu device, and ends', async () => {
    const replyOf = async (kind: 'cpu' | 'webgpu') => {
      const engine = await Engine.start({
        modelPath: testPath('models/tiny-llama'),
        devices: [{ kind }],
        contextTokens: 128,
      });
      const tokens: number[] = [];
      const prompt = Int32Array.of(1, 20, 300, 4000);
      for await (const event of engine.generate(prompt, { sampling: { temperature: 0 }, maxTokens: 12 }))
        if ('token' in event) tokens.push(event.token);
      await engine.close();
      return tokens;
    };
    const expected = await replyOf('cpu');
    expect(expected.length).toBeGreaterThan(3);
    expect(await replyOf('webgpu')).toEqual(expected);
  });
});
