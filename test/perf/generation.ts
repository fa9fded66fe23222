// Tokens per second of the forward pass ÷ llama.cpp's (the libraries inside node-llama-cpp), same file, same tokens, same
// threads, turn by turn. Two shapes of work: 512 tokens at once with all their logits (perplexity), and one at a time
// (generation, at positions 0 … 63).
//
// Run: npx tsx --conditions=source test/perf/generation.ts file.gguf [more.gguf …] [--threads 1] [--rounds 5]
//      [--activations int8] [--clock cpu]
// The clock `cpu` counts processor time, of all threads together: for one thread on a machine with other work.
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { openGgufModel } from '@quern/checkpoint';
import { loadModel, type Model, sequenceLogits } from '@quern/models';
import { cpuDevice } from '@quern/runtime';
import { type NativeModel, openNativeModel, oracleUnavailable } from '../oracle/src/index.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    threads: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '5' },
    activations: { type: 'string', default: 'int8' },
    clock: { type: 'string', default: 'wall' },
  },
});
const activations = values.activations as 'f32' | 'int8';
const threads = Number(values.threads);
const rounds = Number(values.rounds);
const cpuMs = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};
const clock = values.clock === 'cpu' ? cpuMs : () => performance.now();
const shapes = [
  { name: 'perplexity', tokens: 512, batchTokens: 512 },
  { name: 'generation', tokens: 64, batchTokens: 1 },
];

const median = (times: number[]) => times.sort((a, b) => a - b)[times.length >> 1];

async function ourMs(model: Model, ids: Int32Array): Promise<number> {
  const start = clock();
  for await (const _ of sequenceLogits(model, ids));
  return clock() - start;
}

function nativeMs(model: NativeModel, ids: Int32Array, batchTokens: number): number {
  let ms = 0;
  model.logits(Array.from(ids), { threads, batchTokens, clock, onDecoded: (took) => (ms += took) });
  return ms;
}

if (oracleUnavailable) throw new Error(oracleUnavailable);
console.log(
  `Node ${process.version}, ${threads} thread(s), ${activations}, ${values.clock} time, load ${loadavg()[0]!.toFixed(1)}, medians of ${rounds} interleaved rounds`,
);
console.log('| file | work | quern tokens/s | llama.cpp tokens/s | ratio |\n|---|---|---|---|---|');
for (const path of positionals) {
  const device = await cpuDevice({ threads, activations });
  const view = await openGgufModel(path);
  const native = openNativeModel(path);
  for (const { name, tokens, batchTokens } of shapes) {
    const model = await loadModel(view, device, { batchTokens, cells: tokens });
    const ids = Int32Array.from({ length: tokens }, (_, i) => (i * 7919 + 11) % model.hyperparameters.vocabSize);
    const ours: number[] = [];
    const theirs: number[] = [];
    for (let round = -1; round < rounds; round++) {
      const [a, b] = [await ourMs(model, ids), nativeMs(native, ids, batchTokens)];
      if (round < 0) continue; // it warms both up
      ours.push(a);
      theirs.push(b);
    }
    model.dispose();
    const [a, b] = [(tokens / median(ours)) * 1000, (tokens / median(theirs)) * 1000];
    console.log(`| ${path.split('/').at(-1)} | ${name} | ${a.toFixed(1)} | ${b.toFixed(1)} | ${(a / b).toFixed(2)} |`);
  }
  native.close();
  await view.close();
  await device.dispose();
}
