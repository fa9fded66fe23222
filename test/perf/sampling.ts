// The time between logits on the device and a token: all logits read back and sampled from, against the likeliest tokens found on
// the device, at a vocabulary of 128k. Interleaved; medians.
//
// Run: npx tsx test/perf/sampling.ts [--threads 2] [--rounds 200]
import { parseArgs } from 'node:util';
import { resolveSampling, Sampler, type SamplingOptions } from '@quern/engine';
import { cpuDevice } from '@quern/runtime';

const { values } = parseArgs({
  options: { threads: { type: 'string', default: '2' }, rounds: { type: 'string', default: '200' } },
});
const VOCAB = 128_256;
const device = await cpuDevice({ threads: Number(values.threads) });
const logits = device.alloc('F32', [1, VOCAB]);
const gaussian = (): number => Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
device.write(logits, new Uint8Array(Float32Array.from({ length: VOCAB }, () => 3 * gaussian()).buffer));
const median = (times: number[]): number => times.sort((a, b) => a - b)[times.length >> 1]!;

const chains: Record<string, SamplingOptions> = {
  greedy: { temperature: 0 },
  'top-k 40, top-p 0.95': { topK: 40, topP: 0.95, temperature: 0.8, seed: 1 },
  'top-k 200': { topK: 200, seed: 1 },
};

async function fromAll(sampler: Sampler): Promise<number> {
  const bytes = await device.read(logits);
  const row = new Float32Array(bytes.buffer, bytes.byteOffset, VOCAB);
  let zero = 0;
  for (let i = 0; i < VOCAB; i++) zero += row[i]! * 0; // are they all finite?
  if (zero !== 0) throw new Error('logits are not finite');
  return sampler.sample(row);
}

async function fromHighest(sampler: Sampler, words: ReturnType<typeof device.alloc>, count: number): Promise<number> {
  device.run('topK', [logits], words, { count });
  const { buffer, byteOffset } = await device.read(words);
  const tokens = new Int32Array(buffer, byteOffset, count);
  return sampler.sample({ tokens, logits: new Float32Array(buffer, byteOffset + 4 * count, count), allFinite: true });
}

console.log('chain | from all logits, µs | from the likeliest, µs');
for (const [name, options] of Object.entries(chains)) {
  const [all, few] = [0, 1].map(() => new Sampler(resolveSampling(options, VOCAB), [], VOCAB));
  const count = few!.needs!;
  const words = device.alloc('I32', [1, 2 * count + 1]);
  const times: [number[], number[]] = [[], []];
  for (let round = 0; round < Number(values.rounds); round++) {
    const start = performance.now();
    const expected = await fromAll(all!);
    const middle = performance.now();
    if ((await fromHighest(few!, words, count)) !== expected) throw new Error('the tokens differ');
    times[0].push(1000 * (middle - start));
    times[1].push(1000 * (performance.now() - middle));
  }
  console.log([name, ...times.map((of) => median(of).toFixed(0))].join(' | '));
}
await device.dispose();
