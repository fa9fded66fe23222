// Every architecture on the WebGPU device, software adapter: the recorded logits of transformers within 2e-3. The list is that
// of golden/forward.
import { openModel } from '@quern/models';
import { type WebgpuDevice, webgpuDevice } from '@quern/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { architectureRows, checkpointOf } from '../golden/forward/architectures.ts';
import { allLogits, maxDifference, recordedFloats, recordedTensor, withModel } from '../golden/forward/recorded.ts';
import { useSwiftShader } from './software-gpu.ts';

const tolerance = 2e-3;
/** Enough for every window, and for a prompt in two pieces. */
const tokens = 24;
const missing = useSwiftShader();

describe.skipIf(missing)(`architectures on webgpu${missing ? ` (skipped: ${missing})` : ''}`, () => {
  let device: WebgpuDevice;
  beforeAll(async () => {
    device = await webgpuDevice({ software: true });
  });
  afterAll(() => device?.dispose());

  it.each(architectureRows)('$name', async ({ name }) => {
    const folder = checkpointOf(name);
    if (!folder) {
      console.log(`skipped: no checkpoint of ${name} in test/models/arch, nor in QUERN_MODELS`);
      return;
    }
    const file = `${folder}/expected.safetensors`;
    const { bytes, shape } = recordedTensor(file, 'input_ids');
    const ids = new Int32Array(bytes, 0, Math.min(tokens, shape[1]!));
    // Room for the whole recording decides what LongRoPE takes for a long text.
    await withModel(await openModel(folder), device, { batchTokens: 16, cells: shape[1]! }, async (model) => {
      const ours = await allLogits(model, ids);
      expect(maxDifference(ours, recordedFloats(file, 'logits').subarray(0, ours.length))).toBeLessThan(tolerance);
    });
  });
});
