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

/** Two megabytes: constants, one thread and what the trial multiplies. */
const TRIAL_PAGES = 32;
const Q4_K = { type: 12, blockSize: 256, typeSize: 144 };
const COLS = 2048;
const ROWS = 64;

export function chooseModule({ plain, relaxed }: KernelModules): WebAssembly.Module {
  if (!relaxed) return plain;
  const relaxedMs = trialMs(relaxed);
  return relaxedMs !== undefined && relaxedMs < trialMs(plain)! ? relaxed : plain;
}

/** Best time of a small product after a few rounds; undefined when the kernels compute wrongly. */
function trialMs(module: WebAssembly.Module): number | undefined {
  const memory = new WebAssembly.Memory({ initial: TRIAL_PAGES, maximum: TRIAL_PAGES, shared: true });
  const heap = new Heap(memory, heapBaseOf(module, memory));
  const [controlAddress, scratchAddress] = [heap.allocate(CONTROL_BYTES)!, heap.allocate(SCRATCH_BYTES)!];
  const member = new CrewMember({ memory, module, controlAddress, scratchAddress, spinMs: 0 });
  try {
    selfTest(member, heap, true);
  } catch {
    return undefined;
  }
  const rowBytes = roundedRowBytes(COLS, Q4_K.blockSize);
  const [rounded, y] = [heap.allocate(rowBytes)!, heap.allocate(4 * ROWS)!];
  const w = heap.allocate(((ROWS * COLS) / Q4_K.blockSize) * Q4_K.typeSize)!;
  const words = [rounded, rowBytes, y, 1, ROWS, w, 0, COLS, Q4_K.type, Q4_K.blockSize, Q4_K.typeSize, 1, 0];
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 40; round++) {
    const start = performance.now();
    member.run({ kernel: 'matmul', words, items: ROWS / 8, itemsPerChunk: ROWS / 8 });
    best = Math.min(best, performance.now() - start);
  }
  return best;
}

/** First address after the module's constants. */
export function heapBaseOf(module: WebAssembly.Module, memory: WebAssembly.Memory): number {
  return (new WebAssembly.Instance(module, { env: { memory } }).exports.heapBase as () => number)();
}
