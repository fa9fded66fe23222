// One connection that asks a server for the same path over and over, on a thread of its own, since what the clients beside it do would count
// as the server's delay.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { ServedProcess } from './served-process.ts';

export interface Wait {
  readonly ms: number;
  /** What the server's main thread worked meanwhile: the wait on a machine that does nothing else. Undefined where there is no /proc. */
  readonly workedMs: number | undefined;
}

export interface Asking {
  /** Ends the asking. @throws Error when an answer was not 200 */
  end(): Promise<readonly Wait[]>;
}

/** Resolves when there is a first answer. @throws Error when it is not 200 */
export async function ask({ url, pid }: ServedProcess, path: string): Promise<Asking> {
  const worker = new Worker(new URL('./asking-worker.mjs', import.meta.url), {
    workerData: { url: url + path, pid },
    execArgv: [],
  });
  await once(worker, 'message');
  const found = once(worker, 'message');
  // Whoever ends it is told.
  found.catch(() => {});
  return {
    async end() {
      worker.postMessage('end');
      const [waits] = await found;
      return waits;
    },
  };
}
