// Started by lifecycle.test.ts: a CPU device whose calling thread is itself a worker.
import { parentPort } from 'node:worker_threads';
import { cpuDevice } from '@quern/runtime';

const device = await cpuDevice({ threads: 2 });
const [x, w, y] = [device.alloc('F32', [1, 512]), device.alloc('F32', [4096, 512]), device.alloc('F32', [1, 4096])];
device.write(x, new Uint8Array(new Float32Array(512).fill(2).buffer));
device.write(w, new Uint8Array(new Float32Array(4096 * 512).fill(3).buffer));
device.run('matmul', [x, w], y, {});
const sums = new Float32Array((await device.read(y)).buffer);
parentPort.postMessage(sums.every((sum) => sum === sums[0]) ? sums[0] : Number.NaN);
setInterval(() => {}, 1000); // stays until it is terminated
