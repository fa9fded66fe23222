// CPU time of attention per type of cache: one new token (decode) and 64 (prefill) at the end of a long text. Several
// layers take turns, as in a model, so that no cache is still in the processor's from the round before. Best of
// interleaved rounds, CPU time of one thread.
// Run: npx tsx test/perf/attention.ts [positions] [heads/kvHeads×headDim] [types]
import { cpus } from 'node:os';
import { codecOf, dtypeByName, rowBytes } from '@quern/blocks';
import { cpuDevice, type Tensor } from '@quern/runtime';

const [lengths = '4096,8192,32768', shapes = '32/8x128,8/8x128,14/2x64', types = 'F32,F16,Q8_0,Q4_0'] =
  process.argv.slice(2);
const BLOCK_TOKENS = 32;
const CACHE_BYTES = 1 << 28; // of all layers, as F32

const device = await cpuDevice({ threads: 1 });
const upload = (dtype: string, shape: number[], bytes: Uint8Array): Tensor => {
  const tensor = device.alloc(dtype, shape);
  device.write(tensor, bytes);
  return tensor;
};
const integers = (shape: number[], valueAt: (i: number) => number) =>
  upload(
    'I32',
    shape,
    new Uint8Array(Int32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => valueAt(i)).buffer),
  );

/** One encoded row, repeated: the time does not depend on the values. */
function cacheOf(type: string, cells: number, kvDim: number): Tensor {
  const dtype = dtypeByName(type);
  const row = new Uint8Array(rowBytes(dtype, kvDim));
  codecOf(dtype).encode(
    Float32Array.from({ length: kvDim }, (_, i) => Math.sin(i * 1.7)),
    row,
    kvDim,
  );
  const cache = device.alloc(type, [cells, kvDim]);
  for (let cell = 0; cell < cells; cell++) device.write(cache, row, cell * row.length);
  return cache;
}

function job(type: string, shape: string, positions: number, tokens: number) {
  const [heads, kvHeads, headDim] = shape.split(/[/x]/).map(Number) as [number, number, number];
  const kvDim = kvHeads * headDim;
  const layers = Math.max(1, Math.floor(CACHE_BYTES / (positions * kvDim * 8)));
  const caches = Array.from({ length: layers }, () => [
    cacheOf(type, positions, kvDim),
    cacheOf(type, positions, kvDim),
  ]);
  const q = upload(
    'F32',
    [tokens, heads * headDim],
    new Uint8Array(new Float32Array(tokens * heads * headDim).fill(0.01).buffer),
  );
  const y = device.alloc('F32', [tokens, heads * headDim]);
  const blocks = positions / BLOCK_TOKENS;
  const paging = [
    integers([1, blocks], (i) => (i * 7919) % blocks),
    integers([tokens], () => 0),
    integers([tokens], (t) => positions - tokens + t),
  ];
  const params = { heads, kvHeads, headDim, scale: headDim ** -0.5, blockTokens: BLOCK_TOKENS };
  let best = Number.POSITIVE_INFINITY;
  return {
    bytes: caches[0]![0]!.byteLength * 2,
    best: () => best,
    round() {
      const start = process.cpuUsage();
      for (const layer of caches) device.run('attention', [q, ...layer, ...paging], y, params);
      const { user, system } = process.cpuUsage(start);
      best = Math.min(best, (user + system) / 1000 / layers);
    },
    free() {
      for (const tensor of [...caches.flat(), q, y, ...paging]) device.free(tensor);
    },
  };
}

console.log(`attention, node ${process.version}, ${cpus()[0]?.model}`);
console.log('| heads | positions | new tokens | type | ms | GB/s of cache | ÷ F32 |\n|---|---|---|---|---|---|---|');
for (const shape of shapes.split(','))
  for (const positions of lengths.split(',').map(Number))
    for (const tokens of [1, 64]) {
      const jobs = types.split(',').map((type) => ({ type, ...job(type, shape, positions, tokens) }));
      for (let round = 0; round < (tokens === 1 ? 12 : 4); round++) for (const { round: run } of jobs) run();
      for (const { type, best, bytes, free } of jobs) {
        const speed = (bytes / best() / 1e6).toFixed(1);
        console.log(
          `| ${shape} | ${positions} | ${tokens} | ${type} | ${best().toFixed(2)} | ${speed} | ${(best() / jobs[0]!.best()).toFixed(2)} |`,
        );
        free();
      }
    }
await device.dispose();
