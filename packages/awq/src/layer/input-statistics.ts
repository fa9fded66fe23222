// What one input of a layer looks like over all calibration tokens: the mean magnitude of every channel, a sample of rows
// (for the clip search), and the Gram matrix where an error or a Hessian needs it.
import type { Device } from '@quern/runtime';
import { Gram } from './gram.ts';

/** Rows that the clip search looks at, about (AutoAWQ n_sample_token). */
export const sampleRows = 512;

export interface StatisticsOptions {
  readonly width: number;
  readonly gram: boolean;
  readonly sample: boolean;
  /** Rows to come, where that is known: the sample is then AutoAWQ's, every ⌊rows / 512⌋-th row. */
  readonly expectedRows?: number;
  /** Rows that are gathered before a Gram matrix takes them. */
  readonly bufferRows: number;
}

export class InputStatistics {
  readonly width: number;
  readonly gram?: Gram;
  rows = 0;
  readonly #magnitudes: Float64Array;
  readonly #options: StatisticsOptions;
  #step: number;
  #sample: Float32Array[] = [];
  #buffer: Float32Array | undefined;
  #buffered = 0;

  constructor(options: StatisticsOptions) {
    this.#options = options;
    this.width = options.width;
    this.#magnitudes = new Float64Array(options.width);
    this.#step = options.expectedRows === undefined ? 1 : Math.max(1, Math.floor(options.expectedRows / sampleRows));
    if (options.gram) this.gram = new Gram(options.width);
  }

  /** Adds `count` rows of `inputs` from row `first` on. */
  async add(device: Device, inputs: Float32Array): Promise<void> {
    const { width } = this;
    const count = inputs.length / width;
    for (let row = 0; row < count; row++) {
      const from = row * width;
      for (let c = 0; c < width; c++) this.#magnitudes[c]! += Math.abs(inputs[from + c]!);
      if (this.#options.sample && this.rows % this.#step === 0) this.#keep(inputs.slice(from, from + width));
      this.rows++;
    }
    if (this.gram) await this.#toGram(device, inputs);
  }

  /** Takes what is still buffered into the Gram matrix. */
  async finish(device: Device): Promise<void> {
    if (this.gram && this.#buffered > 0)
      await this.gram.add(device, this.#buffer!.subarray(0, this.#buffered * this.width));
    this.#buffer = undefined;
    this.#buffered = 0;
  }

  /** x̄ [width]: mean |x| per channel. */
  means(): Float32Array {
    return Float32Array.from(this.#magnitudes, (sum) => sum / this.rows);
  }

  /** Rows of [width] each. */
  get sample(): readonly Float32Array[] {
    return this.#sample;
  }

  #keep(row: Float32Array): void {
    this.#sample.push(row);
    // How many rows an expert gets shows only in the end: the sample is thinned as it grows.
    if (this.#options.expectedRows !== undefined || this.#sample.length <= 2 * sampleRows) return;
    this.#sample = this.#sample.filter((_, i) => i % 2 === 0);
    this.#step *= 2;
  }

  async #toGram(device: Device, inputs: Float32Array): Promise<void> {
    const { width } = this;
    const { bufferRows } = this.#options;
    this.#buffer ??= new Float32Array(bufferRows * width);
    const count = inputs.length / width;
    for (let row = 0; row < count; ) {
      const taken = Math.min(count - row, bufferRows - this.#buffered);
      this.#buffer.set(inputs.subarray(row * width, (row + taken) * width), this.#buffered * width);
      this.#buffered += taken;
      row += taken;
      if (this.#buffered < bufferRows) continue;
      await this.gram!.add(device, this.#buffer);
      this.#buffered = 0;
    }
  }
}
