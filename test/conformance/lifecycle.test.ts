// The CPU device's threads: inside a worker, in a process that forgets to dispose, from source and from a build.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { cpuDevice } from '@quern/runtime';
import { describe, expect, it } from 'vitest';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const built = existsSync(new URL('../../packages/runtime/dist/index.js', import.meta.url));
const product = `
  const { cpuDevice } = await import('@quern/runtime');
  const device = await cpuDevice({ threads: 2 });
  const [x, w, y] = [[1, 512], [4096, 512], [1, 4096]].map((shape) => device.alloc('F32', shape));
  device.write(x, new Uint8Array(new Float32Array(512).fill(2).buffer));
  device.write(w, new Uint8Array(new Float32Array(4096 * 512).fill(3).buffer));
  device.run('matmul', [x, w], y, {});
  const sums = new Float32Array((await device.read(y)).buffer);
  console.log(sums.every((sum) => sum === 3072) ? 'right' : 'wrong');`;

describe('cpu device', () => {
  it('lets a process end that forgot to dispose, on source', async () => {
    const args = ['--import', 'tsx', '--conditions=source', '--input-type=module', '-e', product];
    expect((await run(process.execPath, args, { cwd: root })).stdout.trim()).toBe('right');
  });

  it.skipIf(!built)(`runs from a build${built ? '' : ' (skipped: packages/runtime is not built)'}`, async () => {
    const args = ['--input-type=module', '-e', product];
    expect((await run(process.execPath, args, { cwd: root })).stdout.trim()).toBe('right');
  });

  it('works inside a worker and ends with it', async () => {
    const worker = new Worker(new URL('./in-worker.mjs', import.meta.url), { execArgv: [] });
    const sum = await new Promise((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
    expect(sum).toBe(3072);
    expect(await worker.terminate()).toBe(1);
  });

  it('loses and repeats no chunk over thousands of jobs on more threads than cores', async () => {
    const device = await cpuDevice({ threads: 5 });
    const [count, ones] = [device.alloc('F32', [300_001]), device.alloc('F32', [300_001])];
    device.write(ones, new Uint8Array(new Float32Array(300_001).fill(1).buffer));
    for (let job = 0; job < 3000; job++) device.run('add', [count, ones], count, {});
    expect(new Set(new Float32Array((await device.read(count)).buffer))).toEqual(new Set([3000]));
    await device.dispose();
  });

  it('refuses everything after dispose, which may be called twice', async () => {
    const device = await cpuDevice({ threads: 2 });
    const tensor = device.alloc('F32', [4]);
    await device.dispose();
    await device.dispose();
    expect(() => device.run('scale', [tensor], tensor, { factor: 1 })).toThrow(/disposed/);
    expect(() => device.alloc('F32', [4])).toThrow(/disposed/);
  });

  it.each([2 ** 31, 2 ** 32 - 2 ** 25])('computes with addresses from %i on', async (below) => {
    const device = await cpuDevice({ threads: 2 });
    device.alloc('F32', [below / 4]); // never touched, so it costs address space only
    const [x, w, y] = [device.alloc('F32', [5, 512]), device.alloc('F32', [1000, 512]), device.alloc('F32', [5, 1000])];
    device.write(x, new Uint8Array(new Float32Array(5 * 512).fill(2).buffer));
    device.write(w, new Uint8Array(new Float32Array(1000 * 512).fill(3).buffer));
    device.run('matmul', [x, w], y, {});
    device.run('add', [y, y], y, {});
    device.run('rmsNorm', [y, device.view(w, [1000])], y, { eps: 0 });
    expect(new Set(new Float32Array((await device.read(y)).buffer))).toEqual(new Set([3]));
    await device.dispose();
  });

  it.each([
    { threads: 0 },
    { threads: 1.5 },
    { threads: 100_000 },
    { memoryBytes: 2 ** 33 },
    { memoryBytes: -1 },
    { activations: 'f16' as never },
    { relaxedSimd: true },
  ])('refuses %o', async (options) => {
    await expect(cpuDevice(options)).rejects.toMatchObject({ code: 'device-bad-option' });
  });

  it('uses relaxed SIMD for nothing but rounded activations, and never before Node 24', async () => {
    const older = Number(process.versions.node.split('.')[0]) < 24;
    for (const activations of older ? (['f32', 'int8'] as const) : (['f32'] as const)) {
      const device = await cpuDevice({ threads: 1, activations });
      expect(device.relaxedSimd, activations).toBe(false);
      await device.dispose();
    }
  });

  it('computes on the reference, and counts it, when a stored type has no kernel', async () => {
    const device = await cpuDevice({ threads: 1 });
    const [x, w, y] = [device.alloc('F32', [1, 2]), device.alloc('F8_E4M3', [1, 2]), device.alloc('F32', [1, 1])];
    device.write(x, new Uint8Array(Float32Array.of(3, 5).buffer));
    device.write(w, Uint8Array.of(0x38, 0xc0)); // 1, -2
    device.run('matmul', [x, w], y, {});
    expect(new Float32Array((await device.read(y)).buffer)[0]).toBe(-7);
    expect([...device.fallbacks]).toEqual([['matmul F8_E4M3', 1]]);
    await device.dispose();
  });
});
