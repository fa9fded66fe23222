// Memory of one tensor: a buffer, or several when it is larger than a binding can be, cut between rows. Buffers come from
// a pool: creating and zeroing one costs much more than taking one back.
import { dtypeByName, rowBytes } from '@quern/blocks';
import type { Commands } from './commands.ts';
import { USAGE_COPY_DST, USAGE_COPY_SRC, USAGE_STORAGE } from './gpu-constants.ts';

/** The offset of a binding is a multiple of this. */
export const BINDING_ALIGNMENT = 256;

export interface Shard {
  readonly buffer: GPUBuffer;
  /** Names the buffer in keys of bind groups; never used again. */
  readonly id: number;
  /** Bytes `first` … `first + byteLength - 1` of the tensor. */
  readonly first: number;
  readonly byteLength: number;
}

export interface Storage {
  readonly shards: readonly Shard[];
  /** Of an I32 tensor: its values as the host knows them, so that indices are checked without reading them back. */
  readonly indices?: Int32Array;
}

interface Pooled {
  readonly buffer: GPUBuffer;
  readonly id: number;
  readonly byteLength: number;
}

export interface StorageLimits {
  /** For tensors in use and buffers kept for reuse together. */
  readonly memoryBytes: number;
  /** Largest buffer; tensors above it are cut. */
  readonly shardBytes: number;
}

export class BufferPool {
  readonly #device: GPUDevice;
  readonly #commands: Commands;
  readonly #limits: StorageLimits;
  /** Buffers to be used again, by size. */
  readonly #idle = new Map<number, Pooled[]>();
  #usedBytes = 0;
  #idleBytes = 0;
  #nextId = 0;
  /** Of tensors, and of buffers kept for others. */
  get bytes(): { readonly usedBytes: number; readonly idleBytes: number } {
    return { usedBytes: this.#usedBytes, idleBytes: this.#idleBytes };
  }

  /** Called when a buffer is destroyed. */
  onDestroy: () => void = () => {};

  constructor(device: GPUDevice, commands: Commands, limits: StorageLimits) {
    this.#device = device;
    this.#commands = commands;
    this.#limits = limits;
  }

  /** Zeroed memory. A tensor above the limit is cut between rows, or between blocks when a row is above it too. */
  allocate(byteLength: number, dtypeName: string, shape: readonly number[]): Storage {
    const dtype = dtypeByName(dtypeName);
    const step = this.#step(byteLength, rowBytes(dtype, shape.at(-1)!), dtype.typeSize);
    const shards: Shard[] = [];
    for (let first = 0; first < byteLength; first += step) {
      const length = Math.min(step, byteLength - first);
      shards.push({ ...this.#take(roundUp(length, BINDING_ALIGNMENT)), first, byteLength: length });
    }
    return dtypeName === 'I32' ? { shards, indices: new Int32Array(byteLength / 4) } : { shards };
  }

  /** One buffer, whatever its size; zeroed too. */
  allocateWhole(byteLength: number): Storage {
    return { shards: [{ ...this.#take(roundUp(byteLength, BINDING_ALIGNMENT)), first: 0, byteLength }] };
  }

  #step(byteLength: number, rowBytes: number, blockBytes: number): number {
    const { shardBytes } = this.#limits;
    if (byteLength <= shardBytes) return byteLength;
    const unit = rowBytes <= shardBytes ? rowBytes : blockBytes;
    return Math.floor(shardBytes / unit) * unit;
  }

  release({ shards }: Storage): void {
    for (const { buffer, id, byteLength } of shards) {
      const pooled = { buffer, id, byteLength: roundUp(byteLength, BINDING_ALIGNMENT) };
      this.#usedBytes -= pooled.byteLength;
      this.#idleBytes += pooled.byteLength;
      const same = this.#idle.get(pooled.byteLength);
      if (same) same.push(pooled);
      else this.#idle.set(pooled.byteLength, [pooled]);
    }
    this.#trim();
  }

  destroy(): void {
    for (const list of this.#idle.values()) for (const { buffer } of list) buffer.destroy();
    this.#idle.clear();
  }

  #take(byteLength: number): { buffer: GPUBuffer; id: number } {
    this.#usedBytes += byteLength;
    const idle = this.#idle.get(byteLength)?.pop();
    if (idle) {
      this.#idleBytes -= byteLength;
      this.#commands.clear(idle.buffer);
      return { buffer: idle.buffer, id: idle.id };
    }
    this.#trim();
    const usage = USAGE_STORAGE | USAGE_COPY_SRC | USAGE_COPY_DST;
    return { buffer: this.#device.createBuffer({ size: byteLength, usage }), id: this.#nextId++ };
  }

  /** Destroys idle buffers until `#usedBytes` and the idle ones are within the budget, largest first. */
  #trim(): void {
    if (this.#usedBytes + this.#idleBytes <= this.#limits.memoryBytes) return;
    for (const size of [...this.#idle.keys()].sort((a, b) => b - a))
      for (const { buffer } of this.#idle.get(size)!.splice(0)) {
        this.#commands.finishWith(buffer);
        buffer.destroy();
        this.onDestroy();
        this.#idleBytes -= size;
        if (this.#usedBytes + this.#idleBytes <= this.#limits.memoryBytes) return;
      }
  }
}

export const roundUp = (value: number, step: number): number => Math.ceil(value / step) * step;
