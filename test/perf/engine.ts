// What the engine adds to the forward pass, and what it saves: tokens per second of several sequences together (÷ one, ÷ llama.cpp's
// batched decoding of the same file), the scheduler's own time, the first token and the gaps of clients that ask one request after the other, the first token after a kept prefix ÷ without, the gaps between tokens beside
// a long prompt ÷ alone, memory over 10,000 requests.
//
// Run (with node --expose-gc for `memory`): npx tsx test/perf/engine.ts file.gguf [--threads 2] [--requests 10000] [--rounds 3] [--only scheduler,batches,clients,prefix,gaps,memory] [--clock cpu]
// The clock `cpu` counts processor time in `batches` and `clients`, of all threads together: for one thread on a machine with other work.
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { openGgufModel } from '@quern/checkpoint';
import { EngineCore, type GenerateOptions } from '@quern/engine';
import { loadModel } from '@quern/models';
import { cpuDevice } from '@quern/runtime';
import { openNativeModel, oracleUnavailable } from '../oracle/src/index.ts';
import { schedulerMicroseconds } from './scheduler-overhead.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    threads: { type: 'string', default: '2' },
    requests: { type: 'string', default: '10000' },
    rounds: { type: 'string', default: '3' },
    clock: { type: 'string', default: 'wall' },
    only: { type: 'string', default: 'scheduler,batches,clients,prefix,gaps,memory' },
  },
});
const threads = Number(values.threads);
const path = positionals[0]!;
const greedy: GenerateOptions = { sampling: { temperature: 0 } };
const cpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};
const clock = values.clock === 'cpu' ? cpuMs : performance.now.bind(performance);
const median = (times: readonly number[]): number => [...times].sort((a, b) => a - b)[times.length >> 1]!;
const p99 = (times: readonly number[]): number => [...times].sort((a, b) => a - b)[Math.floor(0.99 * times.length)]!;
const text = (length: number, seed: number): Int32Array =>
  Int32Array.from({ length }, (_, i) => 100 + ((i * 37 + seed * 101) % 400));

const device = await cpuDevice({ threads, activations: 'int8' });
const view = await openGgufModel(path);

async function withCore<Result>(
  sizes: { cells: number; maxSequences: number; cacheRamBytes?: number },
  use: (core: EngineCore) => Promise<Result>,
) {
  const { cells, maxSequences, cacheRamBytes = 0 } = sizes;
  const model = await loadModel(view, device, {
    batchTokens: 128,
    cells,
    maxSequences,
    maxOutputs: maxSequences,
    cacheTypes: { k: 'F16', v: 'F16' },
  });
  try {
    return await use(new EngineCore(model, { contextTokens: Math.min(cells, 8192), cacheRamBytes }));
  } finally {
    model.dispose();
  }
}

async function drain(core: EngineCore): Promise<void> {
  while (!core.idle) await core.step();
}

/** Milliseconds from asking to the first token. */
async function firstToken(core: EngineCore, prompt: Int32Array): Promise<number> {
  const start = performance.now();
  let ms = 0;
  core.submit(prompt, { ...greedy, maxTokens: 1 }, () => (ms ||= performance.now() - start));
  await drain(core);
  return ms;
}

async function batches(): Promise<void> {
  console.log('| sequences | tokens/s | ÷ one | llama.cpp tokens/s | ÷ llama.cpp |\n|---|---|---|---|---|');
  const native = oracleUnavailable ? undefined : openNativeModel(path);
  let one = 0;
  for (const sequences of [1, 4, 16, 32]) {
    const ms = await withCore({ cells: 64 * sequences, maxSequences: sequences }, async (core) => {
      for (let s = 0; s < sequences; s++) core.submit(text(4, s), { ...greedy, maxTokens: 40 }, () => {});
      while (core.stats.requests.waiting > 0) await core.step();
      for (let step = 0; step < 8; step++) await core.step();
      const steps: number[] = [];
      for (let step = 0; step < 24; step++) {
        const start = clock();
        await core.step();
        steps.push(clock() - start);
      }
      return median(steps);
    });
    const ours = (1000 * sequences) / ms;
    one ||= ours;
    const theirs =
      native && (1000 * sequences) / median(native.decodeTogether(sequences, 32, { threads, clock }).slice(8));
    const cells = theirs === undefined ? ['–', '–'] : [theirs.toFixed(0), (ours / theirs).toFixed(2)];
    console.log(`| ${sequences} | ${ours.toFixed(0)} | ${(ours / one).toFixed(2)} | ${cells.join(' | ')} |`);
  }
  native?.close();
}

/** Prompts that begin with 24 tokens of a template; 16 requests are computed together. */
async function clients(): Promise<void> {
  // The pace learns by the same clock.
  const { now } = performance;
  performance.now = clock;
  console.log('\n| clients | requests/s | first token p50, p99 | between tokens p50, p99 |\n|---|---|---|---|');
  for (const count of [1, 16, 64])
    await withCore({ cells: 4096, maxSequences: 16 }, async (core) => {
      const firsts: number[] = [];
      const gaps: number[] = [];
      let left = count * Number(values.rounds);
      const ask = (): void => {
        if (left-- <= 0) return;
        const start = clock();
        let last = start;
        const prompt = Int32Array.from({ length: 46 }, (_, i) =>
          i < 24 ? 50 + i : 100 + ((i * 37 + left * 101) % 400),
        );
        core.submit(prompt, { ...greedy, maxTokens: 32 }, (outcome) => {
          if (!('event' in outcome && 'token' in outcome.event)) return ask();
          const at = clock();
          (last === start ? firsts : gaps).push(at - last);
          last = at;
        });
      };
      const start = clock();
      for (let client = 0; client < count; client++) ask();
      await drain(core);
      const spread = (times: readonly number[]): string => `${median(times).toFixed(0)}, ${p99(times).toFixed(0)} ms`;
      const perSecond = (1000 * firsts.length) / (clock() - start);
      console.log(`| ${count} | ${perSecond.toFixed(2)} | ${spread(firsts)} | ${spread(gaps)} |`);
    });
  performance.now = now;
}

async function prefix(): Promise<void> {
  await withCore({ cells: 4096, maxSequences: 2, cacheRamBytes: 2 ** 28 }, async (core) => {
    const cold: number[] = [];
    const warm: number[] = [];
    for (let round = 1; round <= Number(values.rounds); round++) {
      const prefix = text(2000, round);
      cold.push(await firstToken(core, prefix));
      warm.push(await firstToken(core, Int32Array.from([...prefix, 7, 8, 9, 10])));
    }
    console.log(
      `\nfirst token: ${median(cold).toFixed(0)} ms for 2,000 tokens, ${median(warm).toFixed(1)} ms with them kept and 4 more: ${(median(warm) / median(cold)).toFixed(4)}`,
    );
  });
}

async function gaps(): Promise<void> {
  await withCore({ cells: 12288, maxSequences: 4 }, async (core) => {
    const times = async (): Promise<number[]> => {
      const found: number[] = [];
      for (let request = 0; request < 12; request++) {
        let last = 0;
        let ended = false;
        core.submit(text(16, request), { ...greedy, maxTokens: 24 }, (outcome) => {
          if (last > 0) found.push(performance.now() - last);
          last = performance.now();
          ended = !('event' in outcome && 'token' in outcome.event);
        });
        while (!ended) await core.step();
      }
      return found;
    };
    const alone = await times();
    const long = core.submit(text(8000, 99), { ...greedy, maxTokens: 1 }, () => {});
    const beside = await times();
    console.log(
      `\ngaps between tokens: p99 ${p99(alone).toFixed(1)} ms alone, ${p99(beside).toFixed(1)} ms beside a prompt of 8,000 tokens (${long.ended ? 'read to its end' : `${long.computed} read meanwhile`}): ${(p99(beside) / p99(alone)).toFixed(2)}`,
    );
    core.cancel(long);
  });
}

/** Prompts that share nothing, so that what is kept of them is replaced again and again. */
async function memory(): Promise<void> {
  await withCore({ cells: 1024, maxSequences: 4, cacheRamBytes: 2 ** 23 }, async (core) => {
    const requests = Number(values.requests);
    const mib = (bytes: number): string => (bytes / 2 ** 20).toFixed(1);
    console.log('\nrequests | resident MiB | heap MiB | array buffers MiB | kept MiB | blocks in use, peak');
    for (let i = 1; i <= requests; i++) {
      const prompt = Int32Array.from({ length: 40 + (i % 24) }, (_, t) =>
        t < 3 ? (i >> (4 * t)) % 16 : (i * t * 7) % 400,
      );
      core.submit(prompt, { ...greedy, maxTokens: 2 }, () => {});
      if (i % 4 === 0) await drain(core);
      if (![0.2, 0.5, 1].includes(i / requests)) continue;
      await drain(core);
      globalThis.gc?.();
      const { rss, heapUsed, arrayBuffers } = process.memoryUsage();
      const { kept, blocks } = core.stats;
      console.log(
        [i, mib(rss), mib(heapUsed), mib(arrayBuffers), mib(kept.bytes), `${blocks.used}, ${blocks.peakUsed}`].join(
          ' | ',
        ),
      );
    }
  });
}

const scheduler = (): void =>
  console.log(`scheduler, 32 sequences: ${schedulerMicroseconds(32).toFixed(1)} µs per step`);

console.log(
  `Node ${process.version}, ${threads} threads, ${values.clock} time, load ${loadavg()[0]!.toFixed(1)}, ${path.split('/').pop()}`,
);
const sections = { scheduler, batches, clients, prefix, gaps, memory };
for (const [name, measure] of Object.entries(sections)) if (values.only.split(',').includes(name)) await measure();
await view.close();
await device.dispose();
