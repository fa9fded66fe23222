// The WebGPU device on SwiftShader, a driver that npm brings along: every op, every family of kernels, memory, refusals.
import { ops, referenceDevice, type WebgpuDevice, webgpuDevice } from '@quern/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CaseOperand, errorOf, runCase } from './case.ts';
import { useSwiftShader } from './software-gpu.ts';
import { conforms, sampleCases, variants } from './webgpu-suite.ts';

const missing = useSwiftShader();

describe.skipIf(missing)(`webgpu on SwiftShader${missing ? ` (skipped: ${missing})` : ''}`, () => {
  for (const variant of variants) conforms(variant, (capabilities) => webgpuDevice({ software: true, capabilities }));

  it('accepts a software adapter only when asked to', async () => {
    await expect(webgpuDevice()).rejects.toMatchObject({ code: 'webgpu-software-adapter', remedy: expect.any(String) });
  });

  it('says what it looked for when there is no adapter', async () => {
    const looking = webgpuDevice({ adapter: 'Voodoo2', software: true });
    await expect(looking).rejects.toMatchObject({
      code: 'webgpu-no-adapter',
      message: expect.stringMatching(/Voodoo2.*Vulkan/),
      remedy: expect.stringMatching(/cpu device/),
    });
  });

  describe('tensors above the binding limit', () => {
    let device: WebgpuDevice;
    beforeAll(async () => {
      device = await webgpuDevice({ software: true, capabilities: { maxBindingBytes: 4096 } });
    });
    afterAll(() => device.dispose());
    const reference = referenceDevice();

    const sample = sampleCases({
      matmuls: (type, _tokens, index) => ['F16', 'Q8_0'].includes(type) && index % 7 === 0,
      attention: (index) => index % 8 === 5,
    });
    const cut = ['matmul', 'embed', 'gatherRows', 'kvWrite', 'rmsNorm', 'add', 'gatedAct', 'logProb'];
    it.each(cut)('%s works on them row by row', async (op) => {
      let large = 0;
      // Of writing to caches there are hundreds of cases, five types in turn.
      const isOne = (index: number) => op !== 'kvWrite' || index % 3 === 0;
      for (const entry of sample.filter((one) => one.op === op).filter((_, index) => isOne(index))) {
        const rowFits = [...entry.inputs, { bytes: new Uint8Array(0), shape: entry.outputShape }].every(
          ({ shape }) => 4 * shape.at(-1)! <= 4096,
        );
        if (!rowFits) continue;
        if (entry.inputs.some(({ bytes }) => bytes.length > 4096)) large++;
        const error = errorOf(entry, await runCase(device, entry), await runCase(reference, entry));
        expect(error, `NMSE of ${entry.title}`).toBeLessThanOrEqual(ops[entry.op].tolerance);
      }
      expect(large).toBeGreaterThan(0);
    });

    it('attention joins what it finds in each buffer of the caches', async () => {
      let large = 0;
      // Each buffer is a dispatch of its own; the queries of a token are bound whole.
      const few = ({ bytes, shape }: CaseOperand) => bytes.length < 16 * 4096 && 4 * shape.at(-1)! <= 4096;
      for (const entry of sample.filter(({ op, inputs }) => op === 'attention' && inputs.every(few))) {
        if (entry.inputs[1]!.bytes.length > 4096) large++;
        const error = errorOf(entry, await runCase(device, entry), await runCase(reference, entry));
        expect(error, `NMSE of ${entry.title}`).toBeLessThanOrEqual(ops.attention.tolerance);
      }
      expect(large).toBeGreaterThan(3);
    });

    it('names the limit where a row is above it', async () => {
      const entry = sample.find(({ op, outputShape }) => op === 'rmsNorm' && outputShape[1]! > 1024)!;
      await expect(runCase(device, entry)).rejects.toMatchObject({
        code: 'device-binding-limit',
        message: expect.stringMatching(/rmsNorm: an operand of \d+ bytes .* 4096 bytes/),
      });
    });
  });
});
