// A thread of the pool: waits for filled slots, transcodes them in its own memory.
import { parentPort, workerData } from 'node:worker_threads';
import { dtypeByName } from '../dtype.ts';
import { instantiateKernels } from '../wasm/kernels.ts';
import {
  DATA_START,
  importanceAddress,
  type Reply,
  type Request,
  STAGING,
  sourceAddress,
  targetAddress,
  type WorkerStart,
} from './protocol.ts';
import { transcodeBlocks } from './transcode-blocks.ts';

const { module, memory } = workerData as WorkerStart;
const port = parentPort!;
const kernels = instantiateKernels(module, memory);
if (kernels.heapBase() > DATA_START) throw new Error('The kernels keep more data than protocol.ts leaves them.');

port.on('message', ({ slot, from, to, weights, importance }: Request) => {
  const report = transcodeBlocks(kernels, {
    from: dtypeByName(from),
    to: dtypeByName(to),
    src: sourceAddress(slot),
    dst: targetAddress(slot),
    weights,
    staging: STAGING,
    importance: importance && { ...importance, at: importanceAddress(slot) },
  });
  port.postMessage({ slot, report } satisfies Reply);
});
port.postMessage({ ready: true } satisfies Reply);
