// Where WebGPU comes from: the browser's own, or Dawn through the npm package `webgpu`: a peer dependency that nobody has to
// install, since it takes 134 MB.
import { QuernError } from '@quern/errors';

/**
 * Dawn's instances by their flags. They are kept for the life of the process: an instance that is collected while one of
 * its objects lives takes the process down with it.
 */
const kept = ((globalThis as Record<symbol, unknown>)[Symbol.for('quern.webgpu')] ??= new Map()) as Map<string, GPU>;

/** A variable, so that bundlers for the browser leave the import alone. */
const PACKAGE: string = 'webgpu';

/** What package.json asks for, in a form that every shell takes unquoted. */
const INSTALL = 'npm install webgpu@0.6';

/**
 * @param flags of Dawn, in Node only: `adapter=llvmpipe` (part of a name), `backend=null`
 * @throws QuernError `webgpu-no-adapter`, `webgpu-not-installed`, `webgpu-not-loadable`
 */
export async function openGpu(flags: readonly string[]): Promise<GPU> {
  const own = globalThis.navigator?.gpu;
  if (own) return own;
  if (typeof process === 'undefined' || !process.versions?.node)
    throw new QuernError('webgpu-no-adapter', 'This browser has no WebGPU (navigator.gpu was looked for).', {
      remedy: 'Use a browser that has WebGPU, over https or on localhost, or the cpu device.',
    });
  const key = flags.join(' ');
  const known = kept.get(key);
  if (known) return known;
  const { create } = await (import(PACKAGE) as Promise<typeof import('webgpu')>).catch((cause: Error) => {
    throw notLoaded(cause);
  });
  const gpu = create([...flags]);
  kept.set(key, gpu);
  return gpu;
}

function notLoaded(cause: Error & { code?: string }): QuernError {
  if (cause.code === 'ERR_MODULE_NOT_FOUND' && cause.message.includes(`package '${PACKAGE}'`))
    return new QuernError(
      'webgpu-not-installed',
      'The npm package webgpu, by which Node uses a GPU, is not installed.',
      {
        remedy: `Run ${INSTALL} (with -g if quern was installed so), or use the cpu device.`,
        cause,
      },
    );
  return new QuernError('webgpu-not-loadable', `The npm package webgpu cannot be loaded: ${cause.message}`, {
    remedy: `It may lack this platform. Run ${INSTALL} again, or use the cpu device.`,
    cause,
  });
}
