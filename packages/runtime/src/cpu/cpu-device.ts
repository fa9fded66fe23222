// The CPU device: WASM SIMD kernels and threads over one shared memory. Nothing here knows Node; how the module is read
// and how threads start comes from a host (node-host.ts).
import { type DType, dtypeByName } from '@quern/blocks';
import { QuernError } from '@quern/errors';
import type { Device, Tensor } from '../device.ts';
import { type Span, TensorTable } from '../memory/tensor-table.ts';
import { type CheckedCall, prepareCall } from '../ops/call.ts';
import type { OpName, OpParams } from '../ops/index.ts';
import type { CpuCall, CpuWork, Staging } from '../ops/op.ts';
import { runReference } from '../reference/run-reference.ts';
import { type Choice, chooseModule, heapBaseOf, type KernelModules } from './choose-module.ts';
import { CONTROL_BYTES, CrewMember, type Job, SCRATCH_BYTES, type Seat } from './crew.ts';
import { Heap } from './heap.ts';
import { type Extent, type Extents, JobQueue } from './job-queue.ts';
import { roundedRowBytes } from './rounded-row.ts';
import { type CpuStorage, RowOrder, reservedBytes } from './row-order.ts';
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
/** What the kernels of one op pass on to each other. */
const WORKSPACE_BYTES = 2 * 2 ** 20;
/** Kept for constants, control block, scratch, rounded activations and alignment. */
const RESERVED_BYTES = 24 * 2 ** 20;
const MAX_TENSOR_BYTES = MAX_PAGES * PAGE_BYTES - RESERVED_BYTES;
/** More would not fit the reserve, and no machine this is for has more. */
const MAX_THREADS = 256;
/** Flops per chunk, 5 to 10 µs: far above the cost of handing out a chunk, far below an op worth sharing. */
const CHUNK_COST = 1 << 19;

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

interface CpuParts {
  leader: CrewMember;
  workers: readonly { terminate(): Promise<unknown> }[];
  heap: Heap;
  threads: number;
  memoryBytes: number;
  /** For rounded activations; absent when they stay floats. */
  staging: StagingMemory | undefined;
  relaxed: boolean;
}

const extentOf = ({ storage, byteOffset, byteLength }: Span<CpuStorage>): Extent => {
  const begin = storage.address + byteOffset;
  return { begin, end: begin + byteLength };
};

const extentsOf = ({ inputs, output }: Pick<CheckedCall<CpuStorage, OpName>, 'inputs' | 'output'>): Extents => ({
  reads: inputs.filter((span) => span !== undefined).map(extentOf),
  writes: extentOf(output),
});

export class CpuDevice implements Device {
  readonly name = 'cpu';
  readonly limits: { readonly memoryBytes: number; readonly threads: number };
  /** How often an op ran on the slow reference for want of a kernel or decoder, by op and type (`matmul IQ2_S`). */
  readonly fallbacks = new Map<string, number>();
  /** Whether the kernels use relaxed SIMD; the numbers are the same. */
  readonly relaxedSimd: boolean;
  readonly #parts: CpuParts;
  readonly #table: TensorTable<CpuStorage>;
  /** Absent where activations stay floats: all weights lie as stored. */
  readonly #rowOrder: RowOrder | undefined;
  readonly #jobs: JobQueue;
  #workspace: number | undefined;
  #disposed = false;

  constructor(parts: CpuParts) {
    const { leader, heap, threads, memoryBytes, staging } = parts;
    this.#parts = parts;
    this.#jobs = new JobQueue(leader);
    this.relaxedSimd = parts.relaxed;
    this.limits = { memoryBytes, threads };
    if (staging) this.#rowOrder = new RowOrder(this.#jobs, heap, staging);
    this.#table = new TensorTable('cpu', memoryBytes, {
      allocate: (size, dtype, shape) => {
        const byteLength = this.#rowOrder ? reservedBytes(size, dtypeByName(dtype), shape) : size;
        const address = heap.allocate(byteLength);
        if (address === undefined) return undefined;
        staging?.forget(address, byteLength);
        return { address, byteLength };
      },
      release: ({ address, byteLength }) => heap.release(address, byteLength),
    });
  }

  alloc(dtype: string, shape: readonly number[], label?: string): Tensor {
    this.#checkAlive();
    this.#jobs.settle(); // what was freed may be given again
    return this.#table.alloc(dtype, shape, label);
  }

  view(tensor: Tensor, shape: readonly number[], byteOffset?: number): Tensor {
    return this.#table.view(tensor, shape, byteOffset);
  }

  free(tensor: Tensor): void {
    this.#table.free(tensor);
  }

  write(tensor: Tensor, bytes: Uint8Array, byteOffset = 0): void {
    this.#checkAlive();
    this.#jobs.settle();
    const span = this.#table.span(tensor, 'write', byteOffset, bytes.byteLength);
    this.#bytes(span).set(bytes);
    this.#changed(span);
  }

  async read(tensor: Tensor, byteOffset?: number, byteLength?: number): Promise<Uint8Array> {
    this.#checkAlive();
    this.#jobs.settle();
    const bytes = this.#bytes(this.#table.span(tensor, 'read', byteOffset, byteLength));
    const copy = new Uint8Array(bytes.byteLength); // slice() would give shared memory again
    copy.set(bytes);
    return copy;
  }

  run<Name extends OpName>(name: Name, inputs: readonly Tensor[], output: Tensor, params: OpParams[Name]): void {
    this.#checkAlive();
    const joins = name === 'matmul';
    if (!joins) this.#jobs.settle();
    const call = prepareCall(this.#table, name, inputs, output, params, (span) => this.#i32(span));
    const { cpu } = call.spec;
    const stored = this.#storedWithoutDecoder(call);
    const extents = joins ? extentsOf(call) : undefined;
    if (extents) this.#jobs.settleFor(extents);
    this.#changed(call.output);
    if (!cpu || stored !== undefined) {
      this.#jobs.settle();
      const key = [name, stored].join(' ').trim();
      this.fallbacks.set(key, (this.fallbacks.get(key) ?? 0) + 1);
      runReference(call, (span) => this.#bytes(span));
      return;
    }
    const work = cpu(this.#cpuCall(call));
    for (const part of 'words' in work ? [work] : work) {
      const job = this.#job(name, part);
      if (extents && part.joins) this.#jobs.join(job, extents);
      else this.#jobs.run(job);
    }
  }

  #job(op: OpName, { kernel = op, words, items, itemCost }: CpuWork): Job {
    const shared = itemCost > 0 && this.limits.threads > 1;
    return { kernel, words, items, itemsPerChunk: shared ? Math.ceil(CHUNK_COST / itemCost) : items };
  }

  async sync(): Promise<void> {
    this.#jobs.settle();
  }

  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#parts.leader.stop();
    await Promise.all(this.#parts.workers.map((worker) => worker.terminate()));
  }

  /** The type of a weight operand that the kernels cannot decode, if there is one. */
  #storedWithoutDecoder<Name extends OpName>({ spec, dtypes }: CheckedCall<CpuStorage, Name>): string | undefined {
    return dtypes.find((dtype, i) => {
      if (spec.inputs[i]!.dtype !== 'weights') return false;
      const type = dtypeByName(dtype).ggmlId;
      return type === undefined || !this.#parts.leader.decodes(type);
    });
  }

  /** As stored. */
  #bytes({ storage, byteOffset, byteLength }: Span<CpuStorage>): Uint8Array {
    this.#rowOrder?.restore(storage);
    return new Uint8Array(this.#parts.heap.memory.buffer, storage.address + byteOffset, byteLength);
  }

  #i32({ storage, byteOffset, byteLength }: Span<CpuStorage>): Int32Array {
    return new Int32Array(this.#parts.heap.memory.buffer, storage.address + byteOffset, byteLength / 4);
  }

  #cpuCall<Name extends OpName>(call: CheckedCall<CpuStorage, Name>): CpuCall<Name> {
    const { spec, dims, params, inputs, output, dtypes, outputDtype } = call;
    const addressOf = (span?: Span<CpuStorage>) => {
      if (!span) return 0;
      this.#rowOrder?.restore(span.storage);
      return span.storage.address + span.byteOffset;
    };
    const place = (operand: string) => spec.inputs.findIndex((input) => input.name === operand);
    const stored = (operand: string) =>
      dtypeByName(operand === spec.output.name ? outputDtype : dtypes[place(operand)]!);
    return {
      dims,
      params,
      input: (operand) => addressOf(inputs[place(operand)]),
      weight: (operand) => {
        const { ggmlId, blockSize, typeSize } = stored(operand);
        return [ggmlId!, blockSize, typeSize];
      },
      indices: (operand) => this.#i32(inputs[place(operand)]!),
      workspace: (bytes) => this.#workspaceFor(bytes),
      rounding: (operand, cols) => {
        const dtype = stored(operand);
        if (!this.#roundsFor(dtype, cols)) return undefined;
        const groups = this.#rowOrder!.arrange(inputs[place(operand)]!, dtype, cols);
        return groups && { staging: this.#stage(inputs[place('x')]!, dtype, cols), groups };
      },
      finite: (operand) => stored(operand).name === 'F16' && this.#finite(inputs[place(operand)]!.storage),
      sideBySide: (operand, cols) => this.#rowOrder?.find(inputs[place(operand)]!, stored(operand), cols),
      y: addressOf(output),
    };
  }

  /** Forgets what was known of these bytes. */
  #changed({ storage, byteOffset, byteLength }: Span<CpuStorage>): void {
    storage.finite = undefined;
    this.#parts.staging?.forget(storage.address + byteOffset, byteLength);
  }

  #finite(storage: CpuStorage): boolean {
    storage.finite ??= this.#parts.leader.areFinite(storage.address, storage.byteLength / 2);
    return storage.finite;
  }

  #workspaceFor(bytes: number): number | undefined {
    if (bytes > WORKSPACE_BYTES) return undefined;
    return (this.#workspace ??= this.#parts.heap.allocate(WORKSPACE_BYTES));
  }

  /** Whether activations that meet weights of this type are rounded. */
  #roundsFor({ ggmlId, blockSize }: DType, cols: number): boolean {
    const { staging, leader } = this.#parts;
    return staging !== undefined && leader.takesIntegers(ggmlId!) && roundedRowBytes(cols, blockSize) <= STAGING_BYTES;
  }

  /** Where rows of x are rounded to. */
  #stage({ storage, byteOffset, byteLength }: Span<CpuStorage>, { blockSize }: DType, cols: number): Staging {
    const memory = this.#parts.staging!;
    const rowBytes = roundedRowBytes(cols, blockSize);
    const rows = Math.floor(memory.byteLength / rowBytes);
    const x = { address: storage.address + byteOffset, byteLength, cols, blockSize };
    const filled = memory.holds(x);
    memory.hold(byteLength / (4 * cols) <= rows ? x : undefined);
    return { address: memory.address, rowBytes, rows, filled };
  }

  #checkAlive(): void {
    if (this.#disposed) throw new QuernError('device-disposed', 'The cpu device has been disposed.');
  }
}
