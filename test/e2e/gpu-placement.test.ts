// A model on GPUs that share it, with the CPU or with each other, and a GPU that goes away in the middle of a reply: on
// SwiftShader, a driver from npm. What the command says of its devices is cli-devices.test.ts's part.
import { loadCore } from '@quern/engine';
import {
  loadModel,
  loadOnDevices,
  type Model,
  openModel,
  type PlacementOptions,
  planPlacement,
  sequenceLogits,
} from '@quern/models';
import { cpuDevice, type Device, type WebgpuDevice, webgpuDevice } from '@quern/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EngineLoop } from '../../packages/engine/src/engine-loop.ts';
import { useSwiftShader } from '../conformance/software-gpu.ts';

const missing = useSwiftShader();
const modelPath = (name: string) => new URL(`../models/${name}`, import.meta.url).pathname;
const ids = Int32Array.from({ length: 20 }, (_, i) => (i * i * 7 + 3) % 512);
const sizes = { batchTokens: 12, cells: 32 };

async function logitsOf(model: Model): Promise<Float32Array> {
  const rows: number[] = [];
  for await (const { logits } of sequenceLogits(model, ids)) rows.push(...logits);
  return Float32Array.from(rows);
}

async function logitsOn(name: string, devices: readonly Device[], placement: PlacementOptions = {}) {
  const view = await openModel(modelPath(name));
  const model = await loadModel(view, devices, { ...sizes, ...placement });
  const logits = await logitsOf(model);
  model.dispose();
  await view.close();
  return logits;
}

const distance = (a: Float32Array, b: Float32Array): number => {
  expect(a.length).toBe(b.length);
  return a.reduce((worst, value, i) => Math.max(worst, Math.abs(value - b[i]!)), 0);
};

describe.skipIf(missing)(`placement on SwiftShader${missing ? ` (skipped: ${missing})` : ''}`, () => {
  const gpus: WebgpuDevice[] = [];
  let cpu: Device;
  beforeAll(async () => {
    for (let i = 0; i < 2; i++) gpus.push(await webgpuDevice({ software: true }));
    cpu = await cpuDevice({ threads: 2 });
  });
  afterAll(() => Promise.all([...gpus, cpu].map((device) => device.dispose())));

  it.each(['arch/llama3', 'arch/qwen2moe'])('%s: two GPUs give what one gives', async (name) => {
    const one = await logitsOn(name, gpus.slice(0, 1));
    expect(distance(await logitsOn(name, gpus, { layers: [2, 3] }), one)).toBe(0);
    expect(distance(await logitsOn(name, gpus, { split: 'row' }), one)).toBeLessThan(1e-5);
    expect(distance(await logitsOn(name, [cpu, gpus[0]!], { layers: [3, 2] }), one)).toBeLessThan(1e-4);
  });

  describe('what is asked for by name', () => {
    const load = async (request: Parameters<typeof loadOnDevices>[1]) => {
      const view = await openModel(modelPath('arch/llama3'));
      const loaded = await loadOnDevices(view, { threads: 1, ...request }, sizes).finally(() => view.close());
      await loaded.dispose();
      return loaded;
    };
    const webgpu = { kind: 'webgpu' } as const;

    it('takes an adapter that computes on the CPU, and says so', async () => {
      const { summary } = await load({ devices: [webgpu] });
      expect(summary).toMatch(/^webgpu: embedding, blocks 0-3, output \(.*webgpu is SwiftShader.*computes on the CPU/);
      await load({ devices: [{ ...webgpu, adapter: 'SwiftShader' }] });
      await expect(load({ devices: [{ ...webgpu, adapter: 'Voodoo2' }] })).rejects.toMatchObject({
        code: 'webgpu-no-adapter',
      });
    });

    it('which auto does not take', async () => {
      const { summary } = await load({ devices: 'auto' });
      expect(summary).toMatch(/^cpu: .*no GPU is used: .*computes on the CPU/);
    });

    it.each([
      [0, 'cpu: embedding, blocks 0-3, output'],
      [1, 'cpu: embedding, blocks 0-3 (1 MiB); webgpu: output'],
      [3, 'cpu: embedding, blocks 0-1 (1 MiB); webgpu: blocks 2-3, output'],
      [5, 'webgpu: embedding, blocks 0-3, output'],
      [99, 'webgpu: embedding, blocks 0-3, output'],
    ])('%i layers on the GPU', async (gpuLayers, expected) => {
      const { summary } = await load({ devices: [webgpu], gpuLayers });
      expect(summary.startsWith(expected), summary).toBe(true);
    });

    it('refuses a model that is larger than the GPU, with the numbers; with the CPU beside it, that takes the rest', async () => {
      const view = await openModel(modelPath('arch/llama3'));
      const [whole] = planPlacement(view, [gpus[0]!], sizes).devices;
      await view.close();
      const bytes = whole!.weightBytes + whole!.kvBytes + whole!.activationBytes;
      const memoryBytes = Math.floor(0.7 * bytes);
      await expect(load({ devices: [webgpu], memoryBytes })).rejects.toMatchObject({
        code: 'model-too-large',
        message: expect.stringMatching(`needs ${bytes} bytes on the webgpu device .*may hold ${memoryBytes}`),
      });
      const { model } = await load({ devices: [webgpu, { kind: 'cpu' }], memoryBytes });
      const [first, last] = model.placement.devices;
      expect([first!.device, last!.device]).toEqual(['cpu', 'webgpu']);
      expect(first!.endBlock).toBeGreaterThan(0);
    });
  });

  it('a GPU that is lost ends the reply at work and is replaced; the next reply is whole', async () => {
    const opened: WebgpuDevice[] = [];
    const open = async () => {
      const device = await webgpuDevice({ software: true });
      opened.push(device);
      const view = await openModel(modelPath('arch/llama3'));
      const { core, info, dispose } = await loadCore(view, device, { contextTokens: 32, maxSequences: 1 });
      await view.close();
      const disposeAll = async () => {
        dispose();
        await device.dispose();
      };
      return { core, info, dispose: disposeAll };
    };
    const story: string[] = [];
    const loop: EngineLoop = new EngineLoop(open, (message) => {
      if (message.type === 'reloaded') story.push(`reloaded after ${message.error.code}`);
      for (const outcome of message.type === 'outcomes' ? message.outcomes : []) {
        const { id } = outcome;
        if ('error' in outcome) story.push(`${id}: ${outcome.error.code}`);
        else story.push(`${id}: ${'token' in outcome.event ? 'token' : outcome.event.finishReason}`);
        if (story.length === 3) opened[0]!.gpuDevice.destroy();
        if ('event' in outcome && 'finishReason' in outcome.event) loop.receive({ type: 'close' });
      }
    });
    for (const [id, maxTokens] of [
      [1, 20],
      [2, 2],
    ])
      loop.receive({ type: 'generate', ids: [id!], prompt: ids.slice(0, 4), options: { maxTokens } });
    await loop.run();
    const lost = ['1: token', '1: token', '1: token', '1: device-lost', 'reloaded after device-lost'];
    expect(story).toEqual([...lost, '2: token', '2: token', '2: length']);
  });
});
