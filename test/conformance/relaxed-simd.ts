// A CPU device that computes with the relaxed kernels, on every engine that compiles them rightly: Node 24 and newer, and
// older ones without their baseline compiler (relaxed.test.ts starts such a process).
import { readFile } from 'node:fs/promises';
import { type CpuDevice, cpuDevice } from '@quern/runtime';
import { createCpuDevice } from '../../packages/runtime/src/cpu/create-cpu-device.ts';

/** V8's flags for Node 20: relaxed SIMD is an experiment there, and only its optimizing compiler has it right. */
export const relaxedFlags = ['--experimental-wasm-relaxed-simd', '--no-liftoff'];

const isTrusted = Number(process.versions.node.split('.')[0]) >= 24;
export const hasRelaxed = isTrusted || process.env.QUERN_TEST_RELAXED === '1';

/** One thread, rounded activations. */
export async function relaxedDevice(): Promise<CpuDevice> {
  const options = { threads: 1, activations: 'int8', relaxedSimd: true } as const;
  if (isTrusted) return cpuDevice(options);
  const kernels = async (name: string) =>
    WebAssembly.compile(await readFile(new URL(`../../packages/runtime/dist/${name}.wasm`, import.meta.url)));
  const host = {
    cores: 1,
    loadModules: async () => ({ plain: await kernels('cpu'), relaxed: await kernels('cpu-relaxed') }),
    warn: (text: string) => console.warn(text),
    startWorker: () => Promise.reject(new Error('one thread')),
  };
  return createCpuDevice(host, options);
}
