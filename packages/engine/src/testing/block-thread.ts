// Stops a worker thread as a fault in its code would, in the middle of what it does and for ever: through the debugger, which lets
// it wait for what never comes.
import { Session } from 'node:inspector';
import type { Worker } from 'node:worker_threads';

const expression = "standsStill(''); Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)";

/** Resolves when the thread stands still. */
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
  const sessionId = await found;
  const blocked = new Promise<void>((resolve) =>
    session.on('NodeWorker.receivedMessageFromWorker', ({ params: { message } }) => {
      if (JSON.parse(message).method === 'Runtime.bindingCalled') resolve();
    }),
  );
  const tell = (id: number, method: string, params: object): Promise<void> =>
    ask('NodeWorker.sendMessageToWorker', { sessionId, message: JSON.stringify({ id, method, params }) });
  await tell(1, 'Runtime.enable', {});
  await tell(2, 'Runtime.addBinding', { name: 'standsStill' });
  await tell(3, 'Runtime.evaluate', { expression });
  await blocked;
  session.disconnect();
}
