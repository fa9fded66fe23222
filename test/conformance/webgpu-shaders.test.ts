// Every shader that any adapter may get, compiled by Dawn's null backend: it validates WGSL and computes nothing.
import { type WebgpuDeviceOptions, webgpuDevice } from '@quern/runtime';
import { describe, expect, it } from 'vitest';
import { runCase } from './case.ts';
import { cases } from './cases.ts';
import { webgpuOnlyCases } from './matmul-cases.ts';
import { hasStoredCache } from './webgpu-suite.ts';

const missing = await webgpuDevice({ backend: 'null' }).then(
  (device) => device.dispose(),
  (error: Error) => error.message,
);
if (missing) console.warn(`Skipping the compilation of shaders: ${missing}`);

const adapters: Record<string, WebgpuDeviceOptions['capabilities']> = {
  'a GPU with subgroups': {},
  'a GPU without subgroups': { subgroups: false, f16: false },
  'a GPU with f16 tiles': { halfTiles: true },
  'a GPU of 64 invocations and 4 KiB of workgroup memory': { maxInvocations: 64, workgroupBytes: 4096 },
  'a GPU that binds 600 KiB': { maxBindingBytes: 600 * 2 ** 10 },
  'a software adapter': { teams: false, subgroups: false, f16: false },
};

/** Cases whose shaders differ: all but those of matmul with a number of rows seen before. */
const distinct = [...cases, ...webgpuOnlyCases].filter(
  (entry) =>
    !hasStoredCache(entry) && (entry.op !== 'matmul' || entry.outputShape[1] === 5 || entry.outputShape[1] === 8),
);

describe.skipIf(missing)(`shaders compile${missing ? ` (skipped: ${missing})` : ''}`, () => {
  it.each(Object.keys(adapters))('for %s', async (name) => {
    const device = await webgpuDevice({ backend: 'null', capabilities: adapters[name] });
    for (const entry of distinct) await runCase(device, entry); // a read reports what did not compile
    expect(device.shaders).toBeGreaterThan(100);
    await device.dispose();
  });
});
