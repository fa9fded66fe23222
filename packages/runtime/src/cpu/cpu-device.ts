// The CPU device: WASM SIMD kernels and threads over one shared memory. Nothing here knows Node or a browser; the parts
// come from create-cpu-device.ts.
import { type DType, dtypeByName } from '@quern/blocks';
import { QuernError } from '@quern/errors';
import type { Device, Tensor } from '../device.ts';
import { type Span, TensorTable } from '../memory/tensor-table.ts';
import { type CheckedCall, prepareCall } from '../ops/call.ts';
import type { OpName, OpParams } from '../ops/index.ts';
import type { CpuCall, CpuWork, Staging } from '../ops/op.ts';
import { runReference } from '../reference/run-reference.ts';
import type { CrewMember, Job } from './crew.ts';
import type { Heap } from './heap.ts';
import { type Extent, type Extents, JobQueue } from './job-queue.ts';
import { roundedRowBytes } from './rounded-row.ts';
import { type CpuStorage, RowOrder, reservedBytes } from './row-order.ts';
import type { StagingMemory } from './staging-memory.ts';

/** What the kernels of one op pass on to each other. */
const WORKSPACE_BYTES = 2 * 2 ** 20;
/** Flops per chunk, 5 to 10 µs: far above the cost of handing out a chunk, far below an op worth sharing. */
const CHUNK_COST = 1 << 19;

/** What a device is made of; it owns all of it. */
export interface CpuParts {
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
    for (const [i, span] of call.inputs.entries()) if (call.spec.inputs[i]!.updated) this.#changed(span);
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
    return (
      staging !== undefined && leader.takesIntegers(ggmlId!) && roundedRowBytes(cols, blockSize) <= staging.byteLength
    );
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
