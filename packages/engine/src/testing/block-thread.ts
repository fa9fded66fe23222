// Stops a worker thread as a fault in its code would, in the middle of what it does and for ever: through the debugger, which lets
// it wait for what never comes.
import { Session } from 'node:inspector';
import type { Worker } from 'node:worker_threads';

const expression = 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)';

/** Resolves when the thread has been told to; it stands still at its next turn. */
export async function blockThread({ threadId }: Worker): Promise<void> {
  const session = new Session();
  session.connect();
  const ask = (method: string, params: object): Promise<void> =>
    new Promise((resolve, reject) => session.post(method, params, (error) => (error ? reject(error) : resolve())));
  const found = new Promise<string>((resolve) =>
    session.on('NodeWorker.attachedToWorker', ({ params: { sessionId, workerInfo } }) => {
      if (workerInfo.title.startsWith(`[worker ${threadId}]`)) resolve(sessionId);
    }),
  );
  await ask('NodeWorker.enable', { waitForDebuggerOnStart: false });
  const message = JSON.stringify({ id: 1, method: 'Runtime.evaluate', params: { expression } });
  await ask('NodeWorker.sendMessageToWorker', { sessionId: await found, message });
  session.disconnect();
}
