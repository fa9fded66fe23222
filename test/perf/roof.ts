// The machine's limits, measured in WASM: bytes per second read from memory and from the cache, floating-point and
// integer operations per second in registers. One thread.
import { readFileSync } from 'node:fs';
import { main as compile } from 'assemblyscript/asc';

/** Far more than a cache holds, and less than one. */
const MEMORY_BYTES = 192 * 2 ** 20;
const CACHE_BYTES = 2 * 2 ** 20;
const PAGE_BYTES = 65536;
const ROUNDS = 200_000;

export interface Roof {
  /** GB/s */
  readonly memory: number;
  readonly cache: number;
  /** GFLOP/s, GOP/s */
  readonly float: number;
  readonly integer: number;
}

interface Exports {
  stream(at: number, bytes: number): bigint;
  floatPeak(rounds: number): number;
  integerPeak(rounds: number): number;
}

async function loadKernels(): Promise<Exports> {
  let binary: Uint8Array | undefined;
  const source = readFileSync(new URL('./roof.wasm.ts', import.meta.url), 'utf8');
  const { error, stderr } = await compile(
    ['roof.ts', '-o', 'roof.wasm', '-O3', '--runtime', 'stub', '--noAssert', '--importMemory', '--enable', 'simd'],
    {
      readFile: (name) => (name === 'roof.ts' ? source : null),
      writeFile: (name, contents) => {
        if (name === 'roof.wasm') binary = contents as Uint8Array;
      },
      listFiles: () => [],
    },
  );
  if (error) throw new Error(stderr.toString());
  const memory = new WebAssembly.Memory({ initial: (MEMORY_BYTES + CACHE_BYTES) / PAGE_BYTES });
  new Float32Array(memory.buffer).fill(1);
  const { instance } = await WebAssembly.instantiate(binary! as Uint8Array<ArrayBuffer>, { env: { memory } });
  return instance.exports as unknown as Exports;
}

/** @param clock milliseconds */
export async function measureRoof(clock: () => number): Promise<Roof> {
  const { stream, floatPeak, integerPeak } = await loadKernels();
  const best = (rounds: number, work: () => void): number => {
    let ms = Number.POSITIVE_INFINITY;
    for (let round = 0; round < rounds; round++) {
      const start = clock();
      work();
      ms = Math.min(ms, clock() - start);
    }
    return ms;
  };
  return {
    memory: MEMORY_BYTES / best(12, () => stream(CACHE_BYTES, MEMORY_BYTES)) / 1e6,
    cache:
      (100 * CACHE_BYTES) /
      best(20, () => {
        for (let i = 0; i < 100; i++) stream(0, CACHE_BYTES);
      }) /
      1e6,
    float: (64 * ROUNDS) / best(60, () => floatPeak(ROUNDS)) / 1e6,
    integer: (128 * ROUNDS) / best(60, () => integerPeak(ROUNDS)) / 1e6,
  };
}
