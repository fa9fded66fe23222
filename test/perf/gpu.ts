// Speed of the WebGPU device, on whatever adapter there is:
//   decode    one token: GB/s of stored weights, ÷ a copy measured in the same run
//   prefill   many tokens: GFLOP/s, ÷ the device's own product with F32 weights, and ÷ the multiply-adds of idle-free lanes
//   a model   tokens per second of prefill and of generation
// Sizes are small on an adapter that computes on the CPU, where the numbers only show that all of it runs.
//
// Run: npm run bench -- gpu, or npx tsx test/perf/gpu.ts [--cols 4096] [--rows 4096] [--tokens 512] [--types Q4_K,Q8_0]
//      [--activations f32,int8] [--adapter NVIDIA] [--model file.gguf] [--swiftshader, the driver from npm]
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { codecOf, dtypeByName, rowBytes } from '@quern/blocks';
import type { QuernError } from '@quern/errors';
import { loadModel, openModel } from '@quern/models';
import { type Tensor, type WebgpuDevice, webgpuDevice } from '@quern/runtime';
import { useSwiftShader } from '../conformance/software-gpu.ts';
import { arithmeticRate, copyRate } from './gpu-peaks.ts';

const { values } = parseArgs({
  options: {
    cols: { type: 'string' },
    rows: { type: 'string' },
    tokens: { type: 'string' },
    types: { type: 'string', default: 'F32,F16,BF16,Q4_0,Q8_0,Q2_K,Q3_K,Q4_K,Q5_K,Q6_K' },
    activations: { type: 'string', default: 'f32,int8' },
    adapter: { type: 'string' },
    swiftshader: { type: 'boolean', default: false },
    model: { type: 'string', default: fileURLToPath(new URL('../models/tiny-llama', import.meta.url)) },
  },
});

if (values.swiftshader) useSwiftShader();
const open = (activations: 'f32' | 'int8') =>
  webgpuDevice({ software: true, activations, adapter: values.adapter, timeoutMs: 600_000 });
const device = await open('f32').catch((error: QuernError) => {
  console.log(`Skipped: ${error.message} ${error.remedy ?? ''} Or give --swiftshader.`);
  process.exit(0);
});
const { software } = device.adapter;
const size = (given: string | undefined, onGpu: number, onCpu: number) => Number(given ?? (software ? onCpu : onGpu));
const C = size(values.cols, 4096, 512);
const R = size(values.rows, 4096, 512);
const T = size(values.tokens, 512, 64);
/** Weights that are read in turn, so that no cache holds them. */
const WEIGHT_BYTES = software ? 2 ** 20 : 2 ** 28;
/** Time to fill with repetitions. */
const ROUND_MS = software ? 50 : 200;

/** Rows whose values do not matter, in so many matrices. */
function matrices(on: WebgpuDevice, type: string, count: number): Tensor[] {
  const row = new Uint8Array(rowBytes(dtypeByName(type), C));
  codecOf(dtypeByName(type)).encode(
    Float32Array.from({ length: C }, (_, i) => Math.sin(i * 1.7)),
    row,
    C,
  );
  const all = new Uint8Array(R * row.length);
  for (let r = 0; r < R; r++) all.set(row, r * row.length);
  return Array.from({ length: count }, () => {
    const w = on.alloc(type, [R, C]);
    on.write(w, all);
    return w;
  });
}

/** Seconds of one run, the best of three rounds of as many as fill the time. */
async function secondsOf(on: WebgpuDevice, runOnce: (i: number) => void): Promise<number> {
  const round = async (count: number) => {
    const start = performance.now();
    for (let i = 0; i < count; i++) runOnce(i);
    await on.sync();
    return (performance.now() - start) / count;
  };
  await round(2);
  const count = Math.max(2, Math.ceil(ROUND_MS / (await round(4))));
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 3; i++) best = Math.min(best, await round(count));
  return best / 1000;
}

async function product(on: WebgpuDevice, type: string, tokens: number): Promise<number> {
  const bytes = R * rowBytes(dtypeByName(type), C);
  const weights = matrices(on, type, tokens > 1 ? 1 : Math.max(1, Math.ceil(WEIGHT_BYTES / bytes)));
  const [x, y] = [on.alloc('F32', [tokens, C]), on.alloc('F32', [tokens, R])];
  on.write(x, new Uint8Array(Float32Array.from({ length: tokens * C }, (_, i) => Math.cos(i)).buffer));
  const seconds = await secondsOf(on, (i) => on.run('matmul', [x, weights[i % weights.length]!], y, {}));
  for (const tensor of [x, y, ...weights]) on.free(tensor);
  return seconds;
}

const giga = (value: number) => (value / 1e9).toPrecision(3).padStart(7);
const share = (value: number) => value.toFixed(2).padStart(5);

const { description, vendor, architecture } = device.adapter;
console.log(`${description || `${vendor} ${architecture}`}: ${software ? 'computes on the CPU' : 'hardware'}`);
console.log(`${JSON.stringify(device.capabilities)}, matrices of ${R}×${C}, prefill of ${T} tokens`);
const copy = await copyRate(device.gpuDevice, software ? 2 ** 26 : 2 ** 27);
const fma = await arithmeticRate(device.gpuDevice, 'f32', software ? 64 : 2 ** 14);
console.log(`copy ${giga(copy)} GB/s read and written; multiply-adds in f32 ${giga(fma)} GFLOP/s`);
if (device.capabilities.f16)
  console.log(
    `multiply-adds in f16 ${giga(await arithmeticRate(device.gpuDevice, 'f16', software ? 64 : 2 ** 14))} GFLOP/s`,
  );
const plain = (2 * T * C * R) / (await product(device, 'F32', T));

console.log('\ntype   activations  decode GB/s  ÷ copy   prefill GFLOP/s  ÷ F32  ÷ multiply-adds');
for (const activations of values.activations.split(',') as ('f32' | 'int8')[]) {
  const on = activations === 'f32' ? device : await open(activations);
  for (const type of values.types.split(',')) {
    const bytes = R * rowBytes(dtypeByName(type), C);
    const read = bytes / (await product(on, type, 1));
    const flops = (2 * T * C * R) / (await product(on, type, T));
    console.log(
      `${type.padEnd(6)} ${on.activations.padEnd(11)}  ${giga(read).padStart(11)}  ${share(read / copy).padStart(6)}  ` +
        `${giga(flops).padStart(16)}  ${share(flops / plain)}  ${share(flops / fma).padStart(15)}`,
    );
  }
  await modelSpeed(on);
  if (on !== device) await on.dispose();
}
await device.dispose();

/** Prefill of T tokens, then 32 tokens one by one, each with one readback of its logits. */
async function modelSpeed(on: WebgpuDevice): Promise<void> {
  const view = await openModel(values.model);
  const model = await loadModel(view, on, { batchTokens: T, cells: T + 64 });
  await view.close();
  const blockTable = Int32Array.from({ length: model.tableWidth }, (_, i) => i);
  const forward = async (first: number, count: number) => {
    const numbers = Int32Array.from({ length: count }, (_, i) => first + i);
    const batch = { tokens: numbers.map((n) => n % 500), positions: numbers, seqs: new Int32Array(count) };
    await on.read(await model.forward({ ...batch, outputRows: Int32Array.of(count - 1), blockTable }));
  };
  await forward(0, T); // compiles
  await forward(T, 1);
  let start = performance.now();
  await forward(0, T);
  const prefill = T / ((performance.now() - start) / 1000);
  const counts = on.counts;
  start = performance.now();
  for (let i = 0; i < 32; i++) await forward(T + i, 1);
  const generation = 32 / ((performance.now() - start) / 1000);
  const dispatches = (on.counts.dispatches - counts.dispatches) / 32;
  console.log(
    `${values.model} with ${on.activations}: prefill ${prefill.toFixed(1)} tokens/s, generation ${generation.toFixed(1)} ` +
      `tokens/s of ${dispatches} dispatches each`,
  );
  model.dispose();
}
