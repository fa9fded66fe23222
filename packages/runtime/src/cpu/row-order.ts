// The order of rows of quantized weights in memory. They arrive as stored; the first integer matmul puts them side by side,
// eight at a time (@quern/blocks src/activations/rows8.wasm.ts), in place and once. Whoever else wants the tensor's bytes
// gets them in their stored order again, by the exact inverse.
import type { DType } from '@quern/blocks';
import { rowBytes } from '@quern/blocks';
import type { Span } from '../memory/tensor-table.ts';
import type { RowGroups } from '../ops/op.ts';
import type { Heap } from './heap.ts';
import type { JobQueue } from './job-queue.ts';
import type { StagingMemory } from './staging-memory.ts';

/** Rows side by side. */
export const GROUP_ROWS = 8;

/** One allocation of the device. */
export interface CpuStorage {
  readonly address: number;
  /** What is reserved: whole groups of rows. */
  readonly byteLength: number;
  /** Type and columns of rows that lie side by side; absent while they lie as stored. */
  sideBySide?: { readonly dtype: DType; readonly cols: number };
  /** Of F16 numbers: whether none is infinite or NaN; absent until it is asked for, and after a write. */
  finite?: boolean;
}

/** Bytes to reserve for a tensor, so that a last group of fewer rows is a group too. */
export function reservedBytes(byteLength: number, dtype: DType, shape: readonly number[]): number {
  const bytes = GROUP_ROWS * rowBytes(dtype, shape.at(-1)!);
  return dtype.blockSize > 1 && shape.length > 1 ? Math.ceil(byteLength / bytes) * bytes : byteLength;
}

export class RowOrder {
  readonly #jobs: JobQueue;
  readonly #heap: Heap;
  readonly #staging: StagingMemory;

  /** @param staging memory to move rows through */
  constructor(jobs: JobQueue, heap: Heap, staging: StagingMemory) {
    this.#jobs = jobs;
    this.#heap = heap;
    this.#staging = staging;
  }

  /** Puts rows of `cols` numbers side by side; undefined when a view's rows cannot be. */
  arrange({ storage, byteOffset }: Span<CpuStorage>, dtype: DType, cols: number): RowGroups | undefined {
    const bytes = rowBytes(dtype, cols);
    const groups = Math.ceil(storage.byteLength / (GROUP_ROWS * bytes));
    const whole = byteOffset % bytes === 0 && groups * GROUP_ROWS * bytes === storage.byteLength;
    if (!whole || GROUP_ROWS * bytes > this.#staging.byteLength) return undefined;
    const { sideBySide } = storage;
    if (sideBySide?.dtype !== dtype || sideBySide.cols !== cols) {
      this.restore(storage);
      this.#move(storage, dtype, cols, false);
      storage.sideBySide = { dtype, cols };
    }
    return { address: storage.address, firstRow: byteOffset / bytes };
  }

  /** Where rows lie that are side by side already. */
  find({ storage, byteOffset }: Span<CpuStorage>, dtype: DType, cols: number): RowGroups | undefined {
    const { address, sideBySide } = storage;
    const bytes = rowBytes(dtype, cols);
    const found = sideBySide?.dtype === dtype && sideBySide.cols === cols && byteOffset % bytes === 0;
    return found ? { address, firstRow: byteOffset / bytes } : undefined;
  }

  /** Puts every row where it is stored. */
  restore(storage: CpuStorage): void {
    if (!storage.sideBySide) return;
    this.#move(storage, storage.sideBySide.dtype, storage.sideBySide.cols, true);
    storage.sideBySide = undefined;
  }

  #move({ address, byteLength }: CpuStorage, dtype: DType, cols: number, back: boolean): void {
    const bytes = new Uint8Array(this.#heap.memory.buffer);
    this.#jobs.settle(); // it may read these rows, or what is staged
    this.#staging.hold(undefined);
    const { address: staging, byteLength: room } = this.#staging;
    const groupBytes = GROUP_ROWS * rowBytes(dtype, cols);
    const groupsAtOnce = Math.floor(room / groupBytes);
    for (let at = address; at < address + byteLength; at += groupsAtOnce * groupBytes) {
      const items = Math.min(groupsAtOnce, (address + byteLength - at) / groupBytes);
      bytes.copyWithin(staging, at, at + items * groupBytes);
      const [stored, groups] = back ? [at, staging] : [staging, at];
      const words = [stored, groups, cols / dtype.blockSize, dtype.ggmlId!, dtype.typeSize, Number(back)];
      this.#jobs.run({ kernel: 'moveGroups', words, items, itemsPerChunk: Math.ceil(CHUNK_BYTES / groupBytes) });
    }
  }
}

/** About 50 µs. */
const CHUNK_BYTES = 1 << 16;
