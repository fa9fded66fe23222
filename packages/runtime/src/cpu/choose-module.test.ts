// Kernels that compute wrongly are not used: the plain ones take over and the person is told once, or, where the plain
// ones fail, no device opens.
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { type CpuHost, createCpuDevice } from './create-cpu-device.ts';

const bytes = await readFile(new URL('../../dist/cpu.wasm', import.meta.url));
const plain = await WebAssembly.compile(bytes);

/** The plain kernels with another mask for nibbles. */
async function brokenModule(): Promise<WebAssembly.Module> {
  const broken = Buffer.from(bytes);
  const nibbles = Buffer.alloc(16, 15);
  const at = broken.indexOf(nibbles);
  expect(at).toBeGreaterThan(0);
  for (let i = at; i >= 0; i = broken.indexOf(nibbles, i + 16)) broken.fill(7, i, i + 16);
  return WebAssembly.compile(broken);
}

function hostOf(modules: { plain: WebAssembly.Module; relaxed?: WebAssembly.Module }, warnings: string[]): CpuHost {
  return {
    cores: 1,
    loadModules: async () => modules,
    warn: (text) => void warnings.push(text),
    startWorker: () => Promise.reject(new Error('one thread')),
  };
}

describe('a kernel that fails its self-test', () => {
  it('is not used, and that is said once', async () => {
    const warnings: string[] = [];
    const host = hostOf({ plain, relaxed: await brokenModule() }, warnings);
    for (let i = 0; i < 2; i++) {
      const device = await createCpuDevice(host, { threads: 1, activations: 'int8' });
      expect(device.relaxedSimd).toBe(false);
      await device.dispose();
    }
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain('relaxed SIMD');
  });

  it('is not even tried with activations as floats', async () => {
    const warnings: string[] = [];
    const host = hostOf({ plain, relaxed: await brokenModule() }, warnings);
    const device = await createCpuDevice(host, { threads: 1 });
    await device.dispose();
    expect(warnings).toEqual([]);
  });

  it('opens no device when it is the plain one', async () => {
    const host = hostOf({ plain: await brokenModule() }, []);
    await expect(createCpuDevice(host, { threads: 1, activations: 'int8' })).rejects.toMatchObject({
      code: 'device-self-test',
    });
  });

  it('leaves the module that passes in place', async () => {
    const warnings: string[] = [];
    const twin = await WebAssembly.compile(bytes);
    const device = await createCpuDevice(hostOf({ plain, relaxed: twin }, warnings), {
      threads: 1,
      activations: 'int8',
    });
    expect(warnings).toEqual([]);
    await device.dispose();
  });
});
