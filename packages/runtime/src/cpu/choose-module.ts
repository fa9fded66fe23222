// Which build of the kernels a device runs: relaxed SIMD where the engine computes it rightly and faster, plain SIMD
// otherwise. Both give the same numbers.
import { CONTROL_BYTES, CrewMember, SCRATCH_BYTES } from './crew.ts';
import { Heap } from './heap.ts';
import { roundedRowBytes } from './rounded-row.ts';
import { selfTest } from './self-test.ts';

export interface KernelModules {
  readonly plain: WebAssembly.Module;
  /** Absent where the engine cannot be trusted with it. */
  readonly relaxed?: WebAssembly.Module;
}

export interface Choice {
  readonly module: WebAssembly.Module;
  /** Why the relaxed kernels are not used, when they compute wrongly. */
  readonly fault?: unknown;
}

/** Two megabytes: constants, one thread and what the trial multiplies. */
const TRIAL_PAGES = 32;
const Q4_K = { type: 12, blockSize: 256, typeSize: 144 };
const COLS = 2048;
const ROWS = 64;
/** The engine's optimizing compiler works in the background: kernels that lose may yet win, for this long. */
const PATIENCE_MS = 100;
const ROUNDS = 20;

/** @throws QuernError `device-self-test` when the plain kernels compute wrongly */
export function chooseModule({ plain, relaxed }: KernelModules): Choice {
  if (!relaxed) return { module: plain };
  let relaxedMs: () => number;
  try {
    relaxedMs = trial(relaxed);
  } catch (fault) {
    return { module: plain, fault };
  }
  const plainMs = trial(plain);
  const best = { relaxed: Number.POSITIVE_INFINITY, plain: Number.POSITIVE_INFINITY };
  const deadline = performance.now() + PATIENCE_MS;
  do {
    for (let round = 0; round < ROUNDS; round++) {
      best.relaxed = Math.min(best.relaxed, relaxedMs());
      best.plain = Math.min(best.plain, plainMs());
    }
  } while (best.relaxed >= best.plain && performance.now() < deadline);
  return { module: best.relaxed < best.plain ? relaxed : plain };
}

/**
 * A function that times a small product.
 * @throws QuernError `device-self-test`
 */
function trial(module: WebAssembly.Module): () => number {
  const memory = new WebAssembly.Memory({ initial: TRIAL_PAGES, maximum: TRIAL_PAGES, shared: true });
  const heap = new Heap(memory, heapBaseOf(module, memory));
  const [controlAddress, scratchAddress] = [heap.allocate(CONTROL_BYTES)!, heap.allocate(SCRATCH_BYTES)!];
  const member = new CrewMember({ memory, module, controlAddress, scratchAddress, spinMs: 0 });
  selfTest(member, heap, true);
  const rowBytes = roundedRowBytes(COLS, Q4_K.blockSize);
  const [rounded, y] = [heap.allocate(rowBytes)!, heap.allocate(4 * ROWS)!];
  const bytes = ((ROWS * COLS) / Q4_K.blockSize) * Q4_K.typeSize;
  const w = heap.allocate(bytes)!;
  new Uint16Array(memory.buffer, w, bytes / 2).fill(0x3c00); // scales of 1: subnormal ones take longer
  const words = [rounded, rowBytes, y, 1, ROWS, w, 0, COLS, Q4_K.type, Q4_K.blockSize, Q4_K.typeSize, 1, 0];
  return () => {
    const start = performance.now();
    member.run({ kernel: 'matmul', words, items: ROWS / 8, itemsPerChunk: ROWS / 8 });
    return performance.now() - start;
  };
}

/** First address after the module's constants. */
export function heapBaseOf(module: WebAssembly.Module, memory: WebAssembly.Memory): number {
  return (new WebAssembly.Instance(module, { env: { memory } }).exports.heapBase as () => number)();
}
