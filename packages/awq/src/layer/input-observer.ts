// Gathers the inputs of a block's weights while the block runs. The inputs of a stack are told apart by expert.
import { QuernError } from '@quern/errors';
import type { MatmulObserver } from '@quern/models';
import type { Device, Tensor } from '@quern/runtime';
import { InputStatistics, type StatisticsOptions } from './input-statistics.ts';
import { floatsOf } from './layer-weights.ts';

export interface Wanted extends StatisticsOptions {
  /** Of a stack; 1 for a plain matrix. */
  readonly experts: number;
}

/** By the name of the weight whose input is wanted. */
export type WantedInputs = ReadonlyMap<string, { experts: number; width: number; gram: boolean; sample: boolean }>;

/** Rows gathered before a Gram matrix takes them: many experts have a buffer each. */
const bufferRows = { matrix: 2048, expert: 256 };

/** @param tokens how many will come; how many of them reach an expert shows only then */
export function observerOf(device: Device, inputs: WantedInputs, tokens: number): InputObserver {
  const wanted = [...inputs].map(([name, options]): [string, Wanted] => [
    name,
    options.experts > 1
      ? { ...options, bufferRows: bufferRows.expert }
      : { ...options, bufferRows: bufferRows.matrix, expectedRows: tokens },
  ]);
  return new InputObserver(device, new Map(wanted));
}

export class InputObserver implements MatmulObserver {
  readonly #device: Device;
  readonly #statistics: ReadonlyMap<string, readonly InputStatistics[]>;
  #arrived: Promise<() => Promise<void>>[] = [];

  /** @param wanted by the name of the weight whose input shall be observed */
  constructor(device: Device, wanted: ReadonlyMap<string, Wanted>) {
    this.#device = device;
    this.#statistics = new Map(
      [...wanted].map(([name, options]) => [
        name,
        Array.from({ length: options.experts }, () => new InputStatistics(options)),
      ]),
    );
  }

  onMatmulInput(weightName: string, input: Tensor): void {
    const statistics = this.#statistics.get(weightName)?.[0];
    if (!statistics) return;
    const reading = this.#device.read(input);
    this.#arrived.push(reading.then((bytes) => () => statistics.add(this.#device, floatsOf(bytes))));
  }

  onExpertInput(weightName: string, input: Tensor, ids: Tensor): void {
    const statistics = this.#statistics.get(weightName);
    if (!statistics) return;
    const reading = Promise.all([this.#device.read(input), this.#device.read(ids)]);
    const [tokens, used] = ids.shape as [number, number];
    const perToken = input.shape[0] === tokens && used > 1;
    this.#arrived.push(
      reading.then(
        ([bytes, idBytes]) =>
          () =>
            this.#addByExpert(statistics, floatsOf(bytes), idBytes, perToken ? used : 1),
      ),
    );
  }

  /** Waits for what was observed since the last call and adds it up, in the order of observation. */
  async settle(): Promise<void> {
    const arrived = this.#arrived;
    this.#arrived = [];
    for (const work of arrived) await (await work)();
  }

  /** @throws QuernError `quantize-non-finite` naming a weight whose input is no number */
  async finish(): Promise<void> {
    await this.settle();
    for (const [name, statistics] of this.#statistics)
      for (const one of statistics) {
        await one.finish(this.#device);
        requireFiniteInput(one, name);
      }
  }

  /** One per expert. */
  of(weightName: string): readonly InputStatistics[] {
    return this.#statistics.get(weightName)!;
  }

  /** @param shared how many entries of `ids` look at one row of `inputs` */
  async #addByExpert(
    statistics: readonly InputStatistics[],
    inputs: Float32Array,
    idBytes: Uint8Array,
    shared: number,
  ): Promise<void> {
    const ids = new Int32Array(idBytes.buffer, idBytes.byteOffset, idBytes.byteLength / 4);
    for (const [expert, one] of statistics.entries()) {
      const rows = [...ids.keys()].filter((entry) => ids[entry] === expert);
      if (rows.length === 0) continue;
      const routed = new Float32Array(rows.length * one.width);
      for (const [i, entry] of rows.entries()) {
        const from = Math.floor(entry / shared) * one.width;
        routed.set(inputs.subarray(from, from + one.width), i * one.width);
      }
      await one.add(this.#device, routed);
    }
  }
}

function requireFiniteInput(statistics: InputStatistics, tensor: string): void {
  if (statistics.rows === 0 || statistics.means().every(Number.isFinite)) return;
  throw new QuernError('quantize-non-finite', 'The input of the layer is NaN or infinite on the calibration text.', {
    tensor,
    remedy: 'Use a checkpoint whose own forward pass gives numbers.',
  });
}
