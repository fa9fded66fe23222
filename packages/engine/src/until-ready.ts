// Listens to the engine's thread while it loads the model.
import type { Worker } from 'node:worker_threads';
import type { QuernError } from '@quern/errors';
import { crashed } from './not-answering.ts';
import { type EngineInfo, errorFromData, type FromWorker } from './protocol.ts';

/** @throws QuernError what stopped the model from loading, `engine-crashed` */
export function untilReady(
  worker: Worker,
  onProgress?: (doneBytes: number, totalBytes: number) => void,
): Promise<EngineInfo> {
  return new Promise((resolve, reject) => {
    const fail = (error: QuernError): void => {
      stopListening();
      reject(error);
    };
    const onMessage = (message: FromWorker): void => {
      if (message.type === 'progress') onProgress?.(message.doneBytes, message.totalBytes);
      else if (message.type === 'broken') fail(errorFromData(message.error));
      else if (message.type === 'ready') {
        stopListening();
        resolve(message.info);
      }
    };
    const onError = (cause: Error): void => fail(crashed(`The engine's worker failed: ${cause.message}`, cause));
    const onExit = (code: number): void =>
      fail(crashed(`The engine's worker ended while loading (exit code ${code}).`));
    // One by one: a Worker keeps listeners of its own, without which no message arrives any more.
    const stopListening = () => worker.off('message', onMessage).off('error', onError).off('exit', onExit);
    worker.on('message', onMessage).on('error', onError).on('exit', onExit);
  });
}
