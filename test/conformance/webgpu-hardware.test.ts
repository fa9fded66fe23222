// The WebGPU device on what this machine has: a GPU, and Mesa's lavapipe.
import { existsSync } from 'node:fs';
import { referenceDevice, webgpuDevice } from '@quern/runtime';
import { describe, expect, it } from 'vitest';
import { nmse, runCase } from './case.ts';
import { integerProducts, rounded } from './rounded-case.ts';
import { conforms, variants } from './webgpu-suite.ts';

const LAVAPIPE = '/usr/share/vulkan/icd.d/lvp_icd.json';
/** exp and sqrt of a few ULP, fused multiply-adds. */
const TOLERANCE = 1e-11;

async function whyNot(options: Parameters<typeof webgpuDevice>[0]): Promise<string | undefined> {
  try {
    await (await webgpuDevice(options)).dispose();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

const adapters = {
  'a GPU': { options: {}, missing: await whyNot({}) },
  lavapipe: {
    options: { adapter: 'llvmpipe', software: true },
    missing: existsSync(LAVAPIPE) ? await whyNot({ adapter: 'llvmpipe', software: true }) : `there is no ${LAVAPIPE}`,
  },
};

for (const [name, { options, missing }] of Object.entries(adapters)) {
  if (missing) {
    console.warn(`Skipping WebGPU on ${name}: ${missing}`);
    it.skip(`webgpu on ${name} (skipped: ${missing})`, () => {});
  } else
    describe(`webgpu on ${name}`, () => {
      for (const variant of variants)
        conforms(variant, (capabilities) => webgpuDevice({ ...options, capabilities }), TOLERANCE);

      it.each(integerProducts)('rounded activations, $title', async (entry) => {
        const device = await webgpuDevice({ ...options, activations: 'int8' });
        expect(device.rejected).toEqual([]);
        const result = await runCase(device, entry);
        const truth = await runCase(referenceDevice(), device.activations === 'int8' ? rounded(entry) : entry);
        expect(nmse(result, truth, entry.typicalSquare)).toBeLessThanOrEqual(TOLERANCE);
        await device.dispose();
      });

      it('weights of a tile in f16', async () => {
        const device = await webgpuDevice({ ...options, capabilities: { halfTiles: true } });
        for (const entry of integerProducts.filter(({ outputShape }) => outputShape[0] === 33))
          expect(nmse(await runCase(device, entry), await runCase(referenceDevice(), entry))).toBeLessThan(2 ** -20);
        await device.dispose();
      });
    });
}
