// The CPU device's matmul, op by op: one token (GB/s of stored weights, from memory) and 512 tokens (GFLOP/s), per type,
// against what the machine can do at most (roof.ts), measured in the same run: a stream of reads, and multiplications and
// additions in registers. Best of interleaved rounds, so that a busy machine hurts all alike; threads read on their own
// from memory, so the roof is that of one thread.
// Run: node --import tsx test/perf/ops.ts [--types F32,Q4_K …] [--threads 1] [--activations int8] [--clock cpu]
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { codecOf, dtypeByName, rowBytes } from '@quern/blocks';
import { type CpuDevice, cpuDevice } from '@quern/runtime';
import { measureRoof } from './roof.ts';

const allTypes =
  'F32,F16,BF16,Q4_0,Q4_1,Q5_0,Q5_1,Q8_0,Q2_K,Q3_K,Q4_K,Q5_K,Q6_K,IQ4_NL,IQ4_XS,IQ3_S,IQ2_XS,IQ1_S,MXFP4,TQ2_0';
const { values } = parseArgs({
  options: {
    types: { type: 'string', default: allTypes },
    threads: { type: 'string', default: '1' },
    activations: { type: 'string', default: 'int8' },
    clock: { type: 'string', default: 'wall' },
  },
});
const cpuMs = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};
const clock = values.clock === 'cpu' ? cpuMs : () => performance.now();

/** Twice a large cache. */
const MATRIX_BYTES = 64 * 2 ** 20;
const COLS = 2048;
const BATCH = { tokens: 512, rows: 2048 };

interface Work {
  readonly run: () => void;
  readonly free: () => void;
}

function prepare(device: CpuDevice, type: string, tokens: number, rows: number): Work {
  const dtype = dtypeByName(type);
  const bytes = rowBytes(dtype, COLS);
  // One encoded row, repeated: the time does not depend on the values.
  const row = new Uint8Array(bytes);
  codecOf(dtype).encode(
    Float32Array.from({ length: COLS }, (_, i) => Math.sin(i * 1.7)),
    row,
    COLS,
    new Float32Array(COLS).fill(1),
  );
  const tensors = [
    device.alloc('F32', [tokens, COLS]),
    device.alloc(type, [rows, COLS]),
    device.alloc('F32', [tokens, rows]),
  ] as const;
  const [x, w, y] = tensors;
  const ones = new Float32Array(tokens * COLS).fill(1);
  device.write(x, new Uint8Array(ones.buffer));
  for (let r = 0; r < rows; r++) device.write(w, row, r * bytes);
  return {
    run: () => device.run('matmul', [x, w], y, {}),
    free: () => {
      for (const tensor of tensors) device.free(tensor);
    },
  };
}

function bestMs({ run }: Work, rounds: number): number {
  let best = Number.POSITIVE_INFINITY;
  for (let round = -2; round < rounds; round++) {
    const start = clock();
    run();
    if (round >= 0) best = Math.min(best, clock() - start);
  }
  return best;
}

const device = await cpuDevice({
  threads: Number(values.threads),
  activations: values.activations as 'f32' | 'int8',
});
const roof = await measureRoof(clock);
const kernels = device.relaxedSimd ? 'relaxed SIMD' : 'plain SIMD';
console.log(
  `Node ${process.version}, ${values.threads} thread(s), ${values.activations}, ${kernels}, ${values.clock} time, load ${loadavg()[0]!.toFixed(1)}`,
);
console.log(
  `stream ${roof.memory.toFixed(1)} GB/s from memory, ${roof.cache.toFixed(1)} from the cache; peak ${roof.float.toFixed(0)} GFLOP/s of floats, ${roof.integer.toFixed(0)} GOP/s of 16-bit products`,
);
console.log('| type | one token, GB/s | ÷ stream | 512 tokens, GFLOP/s | ÷ peak of floats | ÷ of integers |');
console.log('|---|---|---|---|---|---|');
for (const type of values.types.split(',')) {
  const bytes = rowBytes(dtypeByName(type), COLS);
  const rows = Math.floor(MATRIX_BYTES / bytes);
  const one = prepare(device, type, 1, rows);
  const speed = (rows * bytes) / bestMs(one, 8) / 1e6;
  one.free();
  const many = prepare(device, type, BATCH.tokens, BATCH.rows);
  const flops = (2 * BATCH.tokens * BATCH.rows * COLS) / bestMs(many, 5) / 1e6;
  many.free();
  const shares = [flops / roof.float, flops / roof.integer].map((share) => share.toFixed(2));
  console.log(
    `| ${type} | ${speed.toFixed(1)} | ${(speed / roof.memory).toFixed(2)} | ${flops.toFixed(1)} | ${shares.join(' | ')} |`,
  );
}
await device.dispose();
