// Allocator of the CPU device's one shared memory: first fit over free ranges, merged when released. Addresses are
// multiples of 64, so that threads never write to one cache line for two tensors.

const ALIGNMENT = 64;
const PAGE_BYTES = 65536;

interface Range {
  start: number;
  end: number;
}

export class Heap {
  readonly memory: WebAssembly.Memory;
  /** Free ranges below `#top`, ascending, never touching one another. */
  readonly #free: Range[] = [];
  /** Everything from here on has never been used and reads as zero. */
  #top: number;

  /** @param start first byte that may be handed out */
  constructor(memory: WebAssembly.Memory, start: number) {
    this.memory = memory;
    this.#top = roundUp(start, ALIGNMENT);
  }

  /** Address of `byteLength` zeroed bytes, or undefined when the memory cannot grow enough. */
  allocate(byteLength: number): number | undefined {
    const size = roundUp(byteLength, ALIGNMENT);
    const index = this.#free.findIndex(({ start, end }) => end - start >= size);
    if (index < 0) return this.#allocateTop(size);
    const range = this.#free[index]!;
    const address = range.start;
    range.start += size;
    if (range.start === range.end) this.#free.splice(index, 1);
    new Uint8Array(this.memory.buffer, address, size).fill(0);
    return address;
  }

  release(address: number, byteLength: number): void {
    const end = address + roundUp(byteLength, ALIGNMENT);
    const after = this.#free.findIndex((range) => range.start > address);
    const index = after < 0 ? this.#free.length : after;
    this.#free.splice(index, 0, { start: address, end });
    this.#merge(index);
    if (index > 0) this.#merge(index - 1);
  }

  #allocateTop(size: number): number | undefined {
    const address = this.#top;
    const missing = address + size - this.memory.buffer.byteLength;
    if (missing > 0 && !this.#grow(Math.ceil(missing / PAGE_BYTES))) return undefined;
    this.#top += size;
    return address;
  }

  #grow(pages: number): boolean {
    try {
      this.memory.grow(pages);
      return true;
    } catch (error) {
      if (error instanceof RangeError) return false;
      throw error;
    }
  }

  #merge(index: number): void {
    const range = this.#free[index]!;
    const next = this.#free[index + 1];
    if (next?.start !== range.end) return;
    range.end = next.end;
    this.#free.splice(index + 1, 1);
  }
}

const roundUp = (value: number, step: number) => Math.ceil(value / step) * step;
