// The worker thread of the engine: opens the model, then computes batches as long as there are requests. Messages are
// read between batches, so a cancel waits for one batch at most.
import { parentPort, workerData } from 'node:worker_threads';
import { openCore } from './open-core.ts';
import { type EngineOptions, errorToData, type FromWorker, type ToWorker } from './protocol.ts';
import type { Sequence } from './scheduling/sequence.ts';

const port = parentPort!;
const send = (message: FromWorker): void => port.postMessage(message);
const betweenBatches = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function main(options: EngineOptions): Promise<void> {
  const { core, info, dispose } = await openCore(options, (doneBytes, totalBytes) =>
    send({ type: 'progress', doneBytes, totalBytes }),
  );
  const sequences = new Map<number, Sequence>();
  let closing = false;
  let wake = (): void => {};

  const submit = ({ id, prompt, options: request }: Extract<ToWorker, { type: 'generate' }>): void => {
    try {
      const sequence = core.submit(prompt, request, (outcome) => {
        if (sequence.ended) sequences.delete(id);
        if ('error' in outcome) send({ type: 'failed', id, error: errorToData(outcome.error) });
        else send({ type: 'event', id, event: outcome.event });
      });
      sequences.set(id, sequence);
    } catch (error) {
      send({ type: 'failed', id, error: errorToData(error) });
    }
  };
  port.on('message', (message: ToWorker) => {
    if (message.type === 'generate') submit(message);
    else if (message.type === 'close') closing = true;
    else {
      const sequence = sequences.get(message.id);
      if (sequence) core.cancel(sequence);
    }
    wake();
  });
  send({ type: 'ready', info });

  while (!(closing && core.idle)) {
    if (core.idle)
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    else await core.step();
    await betweenBatches();
  }
  await dispose();
}

main(workerData as EngineOptions).then(
  () => port.close(),
  (error) => {
    send({ type: 'broken', error: errorToData(error) });
    port.close();
  },
);
