// The CPU device in a browser: fetches the module beside the code, starts Web Workers.
//
// Threads need a cross-origin isolated page: only there may memory be posted to a worker. A shared memory of one thread's
// own needs no permission (WebAssembly.Memory makes one anywhere), so the same module runs on every page.
import { QuernError } from '@quern/errors';
import { type CpuDevice, type CpuDeviceOptions, type CpuHost, createCpuDevice } from './cpu-device.ts';
import type { Seat } from './crew.ts';

const moduleFile = new URL('../cpu.wasm', import.meta.url);

const browserHost: CpuHost = {
  cores: globalThis.crossOriginIsolated ? navigator.hardwareConcurrency : 1,
  // Only the plain kernels: which engine versions compile relaxed SIMD rightly is known of Node alone.
  async loadModules() {
    if (typeof WebAssembly === 'undefined')
      throw new QuernError('device-no-wasm', 'This browser runs no WebAssembly.', { remedy: useAnother });
    const response = await fetch(moduleFile).catch((cause: unknown) => missing(cause));
    if (!response.ok) missing(`status ${response.status}`);
    const plain = await WebAssembly.compile(await response.arrayBuffer()).catch((cause: unknown) => {
      const lacking = WebAssembly.validate(simdModule) ? 'what the kernels need' : 'SIMD';
      throw new QuernError('device-no-simd', `This browser's WebAssembly lacks ${lacking}.`, {
        remedy: useAnother,
        cause,
      });
    });
    return { plain };
  },
  startWorker: (seat: Seat) =>
    new Promise((resolve, reject) => {
      if (!globalThis.crossOriginIsolated)
        throw new QuernError('device-no-threads', 'Threads need a page that is cross-origin isolated.', {
          remedy: 'Serve it with Cross-Origin-Opener-Policy and Cross-Origin-Embedder-Policy, or use one thread.',
        });
      const worker = new Worker(new URL('./browser-worker.js', import.meta.url), { type: 'module' });
      worker.onerror = ({ message }) => reject(new Error(`A thread of the cpu device failed: ${message}`));
      worker.onmessage = () => resolve({ terminate: async () => worker.terminate() });
      worker.postMessage(seat);
    }),
};

const useAnother = 'Use a current version of the browser, or another one.';

function missing(cause: unknown): never {
  throw new QuernError('device-no-kernels', 'The WASM kernels of the cpu device are missing.', {
    file: moduleFile.href,
    remedy: 'Load the page again; its host must serve the .wasm file beside the code.',
    cause,
  });
}

/** A module of one function that returns a vector: `(func (result v128) i32.const 0 i8x16.splat)`. */
const simdModule = Uint8Array.of(
  ...[0, 97, 115, 109, 1, 0, 0, 0], // magic and version
  ...[1, 5, 1, 96, 0, 1, 123], // a type: () → v128
  ...[3, 2, 1, 0], // a function of it
  ...[10, 8, 1, 6, 0, 65, 0, 253, 15, 11], // its body
);

/**
 * The CPU as a device, in a Web Worker: with several threads `run` waits, which a page's main thread may not.
 * @throws QuernError `device-bad-option`, `device-out-of-memory`, `device-no-kernels`, `device-self-test`,
 *   `device-no-wasm`, `device-no-simd`, `device-no-threads`
 */
export const cpuDevice = (options?: CpuDeviceOptions): Promise<CpuDevice> => createCpuDevice(browserHost, options);
