// The CPU device in a browser: fetches the module beside the code, starts Web Workers.
//
// Threads need a cross-origin isolated page: only there may memory be posted to a worker. A shared memory of one thread's
// own needs no permission (WebAssembly.Memory makes one anywhere), so the same module runs on every page.
import { QuernError } from '@quern/errors';
import type { CpuDevice } from './cpu-device.ts';
import { type CpuDeviceOptions, type CpuHost, createCpuDevice } from './create-cpu-device.ts';
import type { Seat } from './crew.ts';

const plainFile = new URL('../cpu.wasm', import.meta.url);
const relaxedFile = new URL('../cpu-relaxed.wasm', import.meta.url);

const browserHost: CpuHost = {
  cores: globalThis.crossOriginIsolated ? navigator.hardwareConcurrency : 1,
  async loadModules() {
    if (typeof WebAssembly === 'undefined')
      throw new QuernError('device-no-wasm', 'This browser runs no WebAssembly.', { remedy: useAnother });
    const plain = await WebAssembly.compile(await fetchModule(plainFile)).catch((cause: unknown) => {
      const lacking = WebAssembly.validate(simdModule) ? 'what the kernels need' : 'SIMD';
      throw new QuernError('device-no-simd', `This browser's WebAssembly lacks ${lacking}.`, {
        remedy: useAnother,
        cause,
      });
    });
    if (!trustsRelaxed()) return { plain };
    // An engine without relaxed SIMD refuses the module; nothing is lost but a few kilobytes.
    const relaxed = await WebAssembly.compile(await fetchModule(relaxedFile)).catch(() => undefined);
    return relaxed ? { plain, relaxed } : { plain };
  },
  warn: (text) => console.warn(text),
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

/**
 * V8 compiled relaxed dot products wrongly in its baseline tier until a version between those of Node 20 and Node 24 (13.6,
 * Chromium 136). Other engines are not V8 and have not been measured: they keep the plain kernels.
 */
function trustsRelaxed(): boolean {
  const version = /\bChrom(?:e|ium)\/(\d+)/.exec(navigator.userAgent)?.[1];
  return version !== undefined && Number(version) >= 136;
}

async function fetchModule(file: URL): Promise<ArrayBuffer> {
  const response = await fetch(file).catch((cause: unknown) => missing(file, cause));
  if (!response.ok) missing(file, `status ${response.status}`);
  return response.arrayBuffer();
}

const useAnother = 'Use a current version of the browser, or another one.';

function missing(file: URL, cause: unknown): never {
  throw new QuernError('device-no-kernels', 'The WASM kernels of the cpu device are missing.', {
    file: file.href,
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
