// Whole models on the WebGPU device: the recorded logits of transformers, within the tolerance that the CPU device has.
import { Engine } from '@quern/engine';
import { openModel } from '@quern/models';
import { type WebgpuDevice, webgpuDevice } from '@quern/runtime';
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
import { useSwiftShader } from './software-gpu.ts';

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
