// The thread of asked-meanwhile.ts. Node 20 has no loader of TypeScript for threads, so this is JavaScript.
import { parentPort, workerData } from 'node:worker_threads';
import { mainThreadMs } from './processor-time.mjs';

const betweenMs = 5;
const { url, pid } = workerData;
const waits = [];
let goesOn = true;
parentPort.once('message', () => (goesOn = false));
do {
  const before = mainThreadMs(pid);
  const start = performance.now();
  const response = await fetch(url);
  await response.arrayBuffer();
  if (response.status !== 200) throw new Error(`${url} answered ${response.status}`);
  const ms = performance.now() - start;
  const after = mainThreadMs(pid);
  waits.push({ ms, workedMs: after && after - before });
  if (waits.length === 1) parentPort.postMessage('started');
  await new Promise((resolve) => setTimeout(resolve, betweenMs));
} while (goesOn);
parentPort.postMessage(waits);
