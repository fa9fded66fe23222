// Makes a CPU device: compiled kernels, one shared memory, threads that take part. How the module is read and how threads
// start comes from a host (node-host.ts, browser-host.ts).
import { QuernError } from '@quern/errors';
import { type Choice, chooseModule, heapBaseOf, type KernelModules } from './choose-module.ts';
import { CpuDevice } from './cpu-device.ts';
import { CONTROL_BYTES, CrewMember, SCRATCH_BYTES, type Seat } from './crew.ts';
import { Heap } from './heap.ts';
import { selfTest } from './self-test.ts';
import { StagingMemory } from './staging-memory.ts';

export interface CpuDeviceOptions {
  /** Threads that compute, the calling one included; default: what the machine has. */
  threads?: number;
  /** Budget for all tensors together; default and maximum: what one 4 GiB WASM memory holds. */
  memoryBytes?: number;
  /**
   * What meets quantized weights in matmul: activations as they are ('f32'), or rounded to 8 bits per block as llama.cpp
   * does ('int8', several times faster). Types without integer kernels, and plain ones, always meet 'f32'.
   */
  activations?: 'f32' | 'int8';
  /**
   * Whether integer kernels use relaxed SIMD, whose numbers are the same; default: where the engine computes it rightly and
   * faster. True is refused where there is none, and without rounded activations.
   */
  relaxedSimd?: boolean;
}

/** What differs between Node and a browser. */
export interface CpuHost {
  readonly cores: number;
  loadModules(): Promise<KernelModules>;
  /** Says what a person should know, though the work goes on. */
  warn(text: string): void;
  /** Starts a worker that calls `new CrewMember(seat).serve()`; resolves when it is ready to. */
  startWorker(seat: Seat): Promise<{ terminate(): Promise<unknown> }>;
}

/** One page less than 4 GiB: the address after a tensor must be a 32-bit number too, the kernels compare with it. */
const MAX_PAGES = 65535;
const PAGE_BYTES = 65536;
/** Rounded activations of one matmul; more tokens than fit are multiplied in several goes. Weights are moved through it. */
const STAGING_BYTES = 12 * 2 ** 20;
/** Kept for constants, control block, scratch, rounded activations and alignment. */
const RESERVED_BYTES = 24 * 2 ** 20;
const MAX_TENSOR_BYTES = MAX_PAGES * PAGE_BYTES - RESERVED_BYTES;
/** More would not fit the reserve, and no machine this is for has more. */
const MAX_THREADS = 256;

export async function createCpuDevice(host: CpuHost, options: CpuDeviceOptions = {}): Promise<CpuDevice> {
  const { threads = Math.min(host.cores, MAX_THREADS), memoryBytes = MAX_TENSOR_BYTES, activations = 'f32' } = options;
  if (activations !== 'f32' && activations !== 'int8')
    throw new QuernError('device-bad-option', `activations is ${activations}, expected f32 or int8.`);
  if (!Number.isInteger(threads) || threads < 1 || threads > MAX_THREADS)
    throw new QuernError('device-bad-option', `threads is ${threads}, expected 1 … ${MAX_THREADS}.`);
  if (!(memoryBytes > 0 && memoryBytes <= MAX_TENSOR_BYTES))
    throw new QuernError('device-bad-option', `memoryBytes is ${memoryBytes}, expected 1 … ${MAX_TENSOR_BYTES}.`, {
      remedy: 'One WASM memory ends at 4 GiB: use a smaller type or model on this device.',
    });
  const modules = await host.loadModules();
  const { module, fault } = choose(modules, options);
  if (fault !== undefined) warnOnce(host, fault);
  const memory = newMemory(memoryBytes);
  const heap = new Heap(memory, heapBaseOf(module, memory));
  const reserve = (bytes: number) => {
    const address = heap.allocate(bytes);
    if (address === undefined) throw new QuernError('device-out-of-memory', `No memory for ${threads} threads.`);
    return address;
  };
  const controlAddress = reserve(CONTROL_BYTES);
  const seats = Array.from({ length: threads }, (): Seat => {
    const spinMs = threads <= host.cores ? 0.02 : 0;
    return { memory, module, controlAddress, scratchAddress: reserve(SCRATCH_BYTES), spinMs };
  });
  const leader = new CrewMember(seats[0]!);
  selfTest(leader, heap, activations === 'int8');
  const starting = seats.slice(1).map((seat) => host.startWorker(seat));
  const workers = await Promise.all(starting).catch((error: unknown) => {
    leader.stop(); // ends those that did start
    throw error;
  });
  const relaxed = module === modules.relaxed;
  const staging = activations === 'int8' ? new StagingMemory(reserve(STAGING_BYTES), STAGING_BYTES) : undefined;
  return new CpuDevice({ leader, workers, heap, threads, memoryBytes, staging, relaxed });
}

function choose(modules: KernelModules, { activations, relaxedSimd }: CpuDeviceOptions): Choice {
  if (relaxedSimd && !(modules.relaxed && activations === 'int8'))
    throw new QuernError('device-bad-option', 'There is no relaxed SIMD for this device.', {
      remedy: 'It needs rounded activations and Node 24 or newer, or a browser whose engine is known to compute it.',
    });
  if (relaxedSimd) return { module: modules.relaxed! };
  return activations === 'int8' && relaxedSimd === undefined ? chooseModule(modules) : { module: modules.plain };
}

let warned = false;

function warnOnce(host: CpuHost, fault: unknown): void {
  if (warned) return;
  warned = true;
  const reason = fault instanceof Error ? fault.message : String(fault);
  host.warn(`The cpu device does not use relaxed SIMD, whose kernels failed their self-test: ${reason}`);
}

function newMemory(memoryBytes: number): WebAssembly.Memory {
  const maximum = Math.ceil((memoryBytes + RESERVED_BYTES) / PAGE_BYTES);
  try {
    return new WebAssembly.Memory({ initial: 2, maximum, shared: true });
  } catch (cause) {
    throw new QuernError('device-out-of-memory', `Cannot reserve ${maximum * PAGE_BYTES} bytes of address space.`, {
      remedy: 'Give a smaller memoryBytes or raise the limit of virtual memory (ulimit -v).',
      cause,
    });
  }
}
