// The worker thread of the engine.
import { parentPort, workerData } from 'node:worker_threads';
import { EngineLoop } from './engine-loop.ts';
import { openCore } from './open-core.ts';
import { type EngineOptions, errorToData, type FromWorker, type ToWorker } from './protocol.ts';

const port = parentPort!;
const send = (message: FromWorker): void => port.postMessage(message);
const open = () =>
  openCore(workerData as EngineOptions, (doneBytes, totalBytes) => send({ type: 'progress', doneBytes, totalBytes }));

const loop = new EngineLoop(open, send);
port.on('message', (message: ToWorker) => loop.receive(message));
loop.run().then(
  () => port.close(),
  (error) => {
    send({ type: 'broken', error: errorToData(error) });
    port.close();
  },
);
