// Every shader that any adapter may get, compiled by Dawn's null backend: it validates WGSL and computes nothing.
import { type WebgpuDeviceOptions, webgpuDevice } from '@quern/runtime';
import { describe, expect, it } from 'vitest';
import { type Case, runCase } from './case.ts';
import { cases } from './cases.ts';
import { webgpuOnlyCases } from './matmul-cases.ts';

const missing = await webgpuDevice({ backend: 'null' }).then(
  (device) => device.dispose(),
  (error: Error) => error.message,
);
if (missing) console.warn(`Skipping the compilation of shaders: ${missing}`);

/** All that an adapter can have, then each capability alone left out or chosen. */
const adapters: Readonly<Record<string, WebgpuDeviceOptions>> = {
  'a GPU with all features': {},
  'a GPU without f16': { capabilities: { f16: false, halfTiles: true } },
  'a GPU without subgroups': { capabilities: { subgroups: false } },
  'a GPU with f16 tiles': { capabilities: { halfTiles: true } },
  'a GPU with integer products': { activations: 'int8' },
  'a GPU of 64 invocations and 4 KiB of workgroup memory': {
    activations: 'int8',
    capabilities: { maxInvocations: 64, workgroupBytes: 4096 },
  },
  'a GPU of 32 KiB of workgroup memory': { capabilities: { workgroupBytes: 2 ** 15 } },
  'a GPU that binds 600 KiB': { capabilities: { maxBindingBytes: 600 * 2 ** 10 } },
  'a software adapter': { capabilities: { teams: false, subgroups: false, f16: false } },
  'a software adapter with integer products': {
    activations: 'int8',
    capabilities: { teams: false, subgroups: false, f16: false },
  },
};

/** Cases whose shaders differ: of matmul those of two numbers of rows, of attention every shape and every pair of types. */
function isDistinct({ op, inputs, outputShape }: Case, index: number): boolean {
  if (op === 'matmul') return outputShape[1] === 5 || outputShape[1] === 8;
  if (op === 'attention') return (inputs[1]!.dtype === 'F32' && inputs[2]!.dtype === 'F32') || index % 5 === 0;
  return true;
}
const distinct = [...cases, ...webgpuOnlyCases].filter(isDistinct);

describe.skipIf(missing)(`shaders compile${missing ? ` (skipped: ${missing})` : ''}`, () => {
  it.each(Object.keys(adapters))('for %s', async (name) => {
    const device = await webgpuDevice({ backend: 'null', ...adapters[name] });
    const { f16, halfTiles, integers } = device.capabilities;
    expect(halfTiles).toBe(name.includes('f16 tiles'));
    expect(integers).toBe(adapters[name]!.activations === 'int8');
    expect(f16).toBe(adapters[name]!.capabilities?.f16 ?? true);
    for (const entry of distinct) await runCase(device, entry); // a read reports what did not compile
    expect(device.shaders).toBeGreaterThan(100);
    await device.dispose();
  });
});
