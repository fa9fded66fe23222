// Speed of the CPU device's matmul: prefill (512 tokens, GFLOP/s) and decode (1 token, GB/s of stored weights), per type,
// thread count and kind of activations. Best of interleaved rounds, so that a busy machine hurts all alike.
// Run: npx tsx --conditions=source test/perf/matmul.ts [types] [threads] [cols rows] [activations]
import { loadavg } from 'node:os';
import { codecOf, dtypeByName, rowBytes } from '@quern/blocks';
import { cpuDevice, type Device } from '@quern/runtime';

const [
  types = 'F32,F16,BF16,Q4_0,Q5_0,Q8_0,Q4_K,Q5_K,Q6_K',
  threads = '1,2',
  cols = '2048',
  rows = '2048',
  activations = 'f32,int8',
] = process.argv.slice(2);
const C = Number(cols);
const R = Number(rows);

function prepare(device: Device, dtypeName: string, tokens: number): { runOnce: () => void; free: () => void } {
  const dtype = dtypeByName(dtypeName);
  // One encoded row, repeated: the time does not depend on the values.
  const row = new Uint8Array(rowBytes(dtype, C));
  codecOf(dtype).encode(
    Float32Array.from({ length: C }, (_, i) => Math.sin(i * 1.7)),
    row,
    C,
  );
  const x = device.alloc('F32', [tokens, C]);
  const w = device.alloc(dtypeName, [R, C]);
  const y = device.alloc('F32', [tokens, R]);
  const ones = new Uint8Array(new Float32Array(tokens * C).fill(1).buffer);
  device.write(x, ones);
  for (let r = 0; r < R; r++) device.write(w, row, r * row.length);
  return {
    runOnce: () => device.run('matmul', [x, w], y, {}),
    free: () => {
      for (const tensor of [x, w, y]) device.free(tensor);
    },
  };
}

const kinds = activations.split(',') as ('f32' | 'int8')[];
const devices = await Promise.all(
  kinds.flatMap((kind) =>
    threads.split(',').map(async (count) => ({
      name: `${kind} ×${count}`,
      device: await cpuDevice({ threads: Number(count), activations: kind }),
    })),
  ),
);

function bestMs(dtype: string, tokens: number, rounds: number): number[] {
  const jobs = devices.map(({ device }) => ({ ...prepare(device, dtype, tokens), best: Number.POSITIVE_INFINITY }));
  for (let round = -3; round < rounds; round++)
    for (const job of jobs) {
      const start = performance.now();
      job.runOnce();
      if (round >= 0) job.best = Math.min(job.best, performance.now() - start);
    }
  for (const { free } of jobs) free();
  return jobs.map(({ best }) => best);
}

console.log(`matmul ${R} × ${C}, node ${process.version}, load ${loadavg()[0]!.toFixed(1)}`);
console.log(`| type | work | ${devices.map(({ name }) => name).join(' | ')} |`);
console.log(`|---|---|${devices.map(() => '---').join('|')}|`);
for (const dtype of types.split(',')) {
  const flops = 2 * 512 * R * C;
  const prefill = bestMs(dtype, 512, 7).map((ms) => (flops / ms / 1e6).toFixed(1));
  console.log(`| ${dtype} | prefill GFLOP/s | ${prefill.join(' | ')} |`);
  const bytes = R * rowBytes(dtypeByName(dtype), C);
  const decode = bestMs(dtype, 1, 60).map((ms) => (bytes / ms / 1e6).toFixed(2));
  console.log(`| ${dtype} | decode GB/s | ${decode.join(' | ')} |`);
}
for (const { device } of devices) await device.dispose();
