// What measuring needs, started when the first measurement is due: threads that encode, the model on the CPU, the base.
import { TranscodePool } from '@quern/blocks';
import type { ModelView } from '@quern/checkpoint';
import type { ImportanceSource } from '@quern/kquant';
import { hyperparameters, loadOnDevices } from '@quern/models';
import { CalibrationRun, calibrationRunLoadOptions } from './sensitivity/calibration-run.ts';
import { WeightSwap } from './sensitivity/weight-swap.ts';

export interface MeasuringRequest {
  readonly view: ModelView;
  readonly imatrix?: ImportanceSource;
  readonly chunks: readonly Int32Array[];
  readonly threads?: number;
  readonly onNote?: (text: string) => void;
  readonly signal?: AbortSignal;
}

export interface Started {
  readonly pool: TranscodePool;
  readonly run: CalibrationRun;
  readonly swap: WeightSwap;
}

export class Measuring {
  readonly #request: MeasuringRequest;
  readonly #disposals: (() => Promise<void>)[] = [];
  #started?: Promise<Started>;

  constructor(request: MeasuringRequest) {
    this.#request = request;
  }

  /** @throws QuernError those of `loadModel` and `CalibrationRun.start` */
  start(): Promise<Started> {
    return (this.#started ??= this.#start());
  }

  async #start(): Promise<Started> {
    const { view, imatrix, chunks, threads, signal, onNote } = this.#request;
    const pool = await TranscodePool.create(threads === undefined ? {} : { threads });
    this.#disposals.push(() => pool.close());
    const { vocabSize } = hyperparameters(view);
    const { model, summary, dispose } = await loadOnDevices(
      view,
      { devices: [{ kind: 'cpu' }], ...(threads !== undefined && { threads }) },
      calibrationRunLoadOptions(vocabSize, chunks[0]!.length),
    );
    this.#disposals.push(dispose);
    onNote?.(`${summary}; ${chunks.length} chunks of ${chunks[0]!.length} tokens`);
    const run = await CalibrationRun.start(model, chunks, signal);
    return { pool, run, swap: new WeightSwap(model, view, pool, imatrix) };
  }

  async dispose(): Promise<void> {
    for (const dispose of this.#disposals.reverse()) await dispose();
  }
}
