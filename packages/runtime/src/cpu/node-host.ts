// The CPU device on Node: reads the module beside the code, starts worker threads.
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { QuernError } from '@quern/errors';
import { spawnWorker } from '@quern/workers';
import type { CpuDevice } from './cpu-device.ts';
import { type CpuDeviceOptions, type CpuHost, createCpuDevice } from './create-cpu-device.ts';
import type { Seat } from './crew.ts';

const fromSource = import.meta.url.endsWith('.ts');
const moduleFile = (name: string) =>
  new URL(fromSource ? `../../dist/${name}.wasm` : `../${name}.wasm`, import.meta.url);
/** Older ones compile relaxed dot products wrongly in their baseline tier, so a self-test can pass and prove nothing. */
const trustsRelaxed = Number(process.versions.node.split('.')[0]) >= 24;

async function compile(file: URL): Promise<WebAssembly.Module> {
  const bytes = await readFile(file).catch((cause: unknown) => {
    throw new QuernError('device-no-kernels', 'The WASM kernels of the cpu device are missing.', {
      file: fileURLToPath(file),
      remedy: 'Run npm run build.',
      cause,
    });
  });
  return WebAssembly.compile(bytes);
}

const nodeHost: CpuHost = {
  cores: availableParallelism(),
  async loadModules() {
    const plain = await compile(moduleFile('cpu'));
    return trustsRelaxed ? { plain, relaxed: await compile(moduleFile('cpu-relaxed')) } : { plain };
  },
  warn: (text) => process.emitWarning(text, { code: 'device-self-test' }),
  startWorker: (seat: Seat) =>
    new Promise((resolve, reject) => {
      // No flags of the process: some (`--input-type`) keep a worker from starting.
      const options = { workerData: seat, execArgv: [] };
      const worker = spawnWorker(new URL('./worker.ts', import.meta.url), import.meta.url, options);
      worker.once('error', reject);
      worker.once('message', () => {
        worker.unref(); // an idle crew must not keep the process alive
        resolve(worker);
      });
    }),
};

/**
 * The CPU as a device. Works on the main thread and inside a worker; `run` blocks the calling thread, which computes too.
 * @throws QuernError `device-bad-option`, `device-out-of-memory`, `device-no-kernels`, `device-self-test`
 */
export const cpuDevice = (options?: CpuDeviceOptions): Promise<CpuDevice> => createCpuDevice(nodeHost, options);
