// Device memory to the host: a copy into a mappable buffer, submitted with everything recorded before it, then one wait.
import type { Commands } from './commands.ts';
import type { Faults } from './faults.ts';
import { MAP_MODE_READ, USAGE_COPY_DST, USAGE_MAP_READ } from './gpu-constants.ts';
import { roundUp } from './storage.ts';

interface Part {
  readonly buffer: GPUBuffer;
  readonly at: number;
  readonly from: number;
  readonly length: number;
}

/** Mappable buffers kept for the next read, in all. */
const KEPT_BYTES = 64 * 2 ** 20;

export class Readback {
  readonly #device: GPUDevice;
  readonly #commands: Commands;
  readonly #faults: Faults;
  readonly #timeoutMs: number;
  readonly #kept: GPUBuffer[] = [];
  /** Reads so far. */
  count = 0;

  constructor(device: GPUDevice, commands: Commands, faults: Faults, timeoutMs: number) {
    this.#device = device;
    this.#commands = commands;
    this.#faults = faults;
    this.#timeoutMs = timeoutMs;
  }

  async read(parts: readonly Part[]): Promise<Uint8Array> {
    this.count++;
    // Copies begin and end at multiples of 4, so each part gets a place of its own.
    let size = 0;
    const places = parts.map(({ buffer, at, from, length }) => {
      const skip = at % 4;
      const bytes = roundUp(skip + length, 4);
      const place = { buffer, at: at - skip, staged: size, bytes, skip, from, length };
      size += bytes;
      return place;
    });
    const staging = this.#take(size);
    for (const { buffer, at, staged, bytes } of places) this.#commands.copy(buffer, at, staging, staged, bytes);
    this.#commands.flush();
    try {
      await this.#faults.within(staging.mapAsync(MAP_MODE_READ, 0, size), 'a read', this.#timeoutMs);
      await this.#faults.within(this.#commands.collected, 'a read', this.#timeoutMs);
      this.#faults.check();
    } catch (error) {
      staging.destroy();
      await this.#faults.settle();
      this.#faults.check();
      throw error;
    }
    const staged = new Uint8Array(staging.getMappedRange(0, size));
    const result = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
    for (const { staged: at, skip, from, length } of places)
      result.set(staged.subarray(at + skip, at + skip + length), from);
    staging.unmap();
    this.#keep(staging);
    return result;
  }

  #take(size: number): GPUBuffer {
    const index = this.#kept.findIndex((buffer) => buffer.size >= size && buffer.size <= 2 * size + 4096);
    if (index >= 0) return this.#kept.splice(index, 1)[0]!;
    return this.#device.createBuffer({ size: roundUp(size, 4096), usage: USAGE_MAP_READ | USAGE_COPY_DST });
  }

  #keep(buffer: GPUBuffer): void {
    this.#kept.push(buffer);
    while (this.#kept.reduce((sum, { size }) => sum + size, 0) > KEPT_BYTES) this.#kept.shift()!.destroy();
  }
}
