// The WebGPU device on what this machine has: a GPU, and Mesa's lavapipe.
import { existsSync } from 'node:fs';
import { webgpuDevice } from '@quern/runtime';
import { describe, it } from 'vitest';
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
    });
}
