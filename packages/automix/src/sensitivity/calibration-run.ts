// A model, a text, and what the unquantized model thinks of it: gives the mean KL divergence of the model as it is at the
// moment, with some weights replaced. A change in one block leaves what enters that block as it was, so a pass begins
// there: the residual streams that enter one block are kept, and moved on block by block. They need
// chunks · context · embedding · 4 bytes; the base needs chunks · context/2 · vocabulary · 2 bytes.
//
// Scored are the second halves of the chunks, so that every place has context (llama-perplexity's choice).
import { QuernError } from '@quern/errors';
import type { BlockInput, LoadOptions, Model, OutputBatch } from '@quern/models';
import { divergenceFrom, encodeBaseRow } from './base-row.ts';

export interface Divergence {
  /** Mean over the scored places, in nats. */
  readonly kld: number;
  /** Standard error of the mean. */
  readonly error: number;
}

/** What the logits of one batch may occupy. */
const logitsBudgetBytes = 64 * 2 ** 20;
/** More tokens per batch gain nothing on a CPU and cost activations. */
const maxBatchTokens = 512;

/** Options for `loadModel` that suit chunks of `contextTokens`. */
export function calibrationRunLoadOptions(vocabSize: number, contextTokens: number): LoadOptions {
  const outputs = Math.min(Math.floor(logitsBudgetBytes / (4 * vocabSize)), Math.ceil(contextTokens / 2));
  return {
    batchTokens: Math.min(contextTokens, maxBatchTokens),
    cells: contextTokens,
    maxOutputs: Math.max(1, outputs),
  };
}

/** A part of a chunk that is computed at once. */
interface Piece {
  readonly batch: OutputBatch;
  /** Of `batch.outputRows`, [rows · vocab]. */
  readonly base: Uint16Array;
}

export class CalibrationRun {
  readonly #model: Model;
  readonly #pieces: readonly Piece[];
  readonly #signal?: AbortSignal;
  /** What enters `#block`, by piece. */
  #states?: readonly Uint8Array[];
  #block = 0;
  #zero = 0;

  private constructor(model: Model, pieces: readonly Piece[], signal?: AbortSignal) {
    this.#model = model;
    this.#pieces = pieces;
    this.#signal = signal;
  }

  /**
   * Computes the base.
   * @param model unchanged, loaded as `calibrationRunLoadOptions` says
   * @param chunks [contextTokens] each, all of one size
   * @throws QuernError `calibration-not-finite`, and those of the model
   */
  static async start(model: Model, chunks: readonly Int32Array[], signal?: AbortSignal): Promise<CalibrationRun> {
    const pieces = chunks.flatMap((chunk) => piecesOf(model, chunk));
    const run = new CalibrationRun(model, pieces, signal);
    const { vocabSize } = model.hyperparameters;
    await run.#eachRow(undefined, (logits, { base }, row) =>
      encodeBaseRow(logits, base.subarray(row * vocabSize, (row + 1) * vocabSize)),
    );
    run.#zero = (await run.#measure()).kld;
    return run;
  }

  /** Tokens that one whole measurement computes. */
  get tokens(): number {
    return this.#pieces.reduce((sum, { batch }) => sum + batch.tokens.length, 0);
  }

  /** Of the model as it is, computed whole. */
  async divergence(): Promise<Divergence> {
    return this.#calibrated(await this.#measure());
  }

  /**
   * The same, where no weight before `block` is changed. Blocks must be asked for in rising order, `moveTo` first.
   * @param block 0 … blockCount; blockCount: only the output is changed
   */
  async divergenceFromBlock(): Promise<Divergence> {
    return this.#calibrated(await this.#measure(this.#states));
  }

  /** Makes `divergenceFromBlock` begin with `block`; the model must be unchanged. */
  async moveTo(block: number): Promise<void> {
    if (this.#states && block < this.#block) this.#states = undefined;
    const states: Uint8Array[] = [];
    for (const [i, { batch }] of this.#pieces.entries()) {
      await this.#turn();
      states.push(await this.#model.residualBefore(block, batch, this.#inputOf(this.#states, i)));
    }
    this.#states = states;
    this.#block = block;
  }

  #calibrated({ kld, error }: Divergence): Divergence {
    return { kld: kld - this.#zero, error };
  }

  async #measure(states?: readonly Uint8Array[]): Promise<Divergence> {
    const { vocabSize } = this.#model.hyperparameters;
    let [count, sum, squares] = [0, 0, 0];
    await this.#eachRow(states, (logits, { base }, row) => {
      const kld = divergenceFrom(base.subarray(row * vocabSize, (row + 1) * vocabSize), logits);
      count++;
      sum += kld;
      squares += kld * kld;
    });
    const mean = sum / count;
    if (!Number.isFinite(mean))
      throw new QuernError('calibration-not-finite', 'The model computed numbers that are NaN or infinite.', {
        remedy: 'The checkpoint may be damaged: quern eval names the place.',
      });
    const variance = Math.max(0, squares / count - mean * mean);
    return { kld: mean, error: Math.sqrt(variance / Math.max(1, count - 1)) };
  }

  async #eachRow(
    states: readonly Uint8Array[] | undefined,
    see: (logits: Float32Array, piece: Piece, row: number) => void,
  ): Promise<void> {
    const model = this.#model;
    const { vocabSize, blockCount } = model.hyperparameters;
    for (const [i, piece] of this.#pieces.entries()) {
      await this.#turn();
      const { batch } = piece;
      const from = this.#inputOf(states, i);
      if (batch.outputRows.length === 0) {
        // Only later pieces of the chunk are scored: they need its keys and values.
        if (!from) await model.prefill(batch);
        else if (from.block < blockCount) await model.residualBefore(blockCount, batch, from);
        continue;
      }
      const logits = await (from ? model.forwardFrom(batch, from) : model.forward(batch));
      const bytes = await model.device.read(logits);
      const values = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
      for (let row = 0; row < batch.outputRows.length; row++)
        see(values.subarray(row * vocabSize, (row + 1) * vocabSize), piece, row);
    }
  }

  #inputOf(states: readonly Uint8Array[] | undefined, piece: number): BlockInput | undefined {
    return states && { block: this.#block, residual: states[piece]! };
  }

  /** The CPU device computes on this thread: without a turn, Ctrl-C would be heard at the end. */
  async #turn(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.#signal?.throwIfAborted();
  }
}

/** Parts of at most `batchTokens` tokens of which at most `maxOutputs` are scored. */
function piecesOf({ batchTokens, maxOutputs, tableWidth, hyperparameters }: Model, chunk: Int32Array): Piece[] {
  const firstScored = Math.floor(chunk.length / 2);
  const blockTable = Int32Array.from({ length: tableWidth }, (_, i) => i);
  const pieces: Piece[] = [];
  for (let begin = 0; begin < chunk.length; ) {
    const end = Math.min(chunk.length, begin + batchTokens, Math.max(begin, firstScored) + maxOutputs);
    const skipped = Math.max(0, Math.min(firstScored, end) - begin);
    const outputRows = Int32Array.from({ length: end - begin - skipped }, (_, i) => skipped + i);
    const positions = Int32Array.from({ length: end - begin }, (_, i) => begin + i);
    const batch = { tokens: chunk.subarray(begin, end), positions, seqs: new Int32Array(end - begin), blockTable };
    pieces.push({
      batch: { ...batch, outputRows },
      base: new Uint16Array(outputRows.length * hyperparameters.vocabSize),
    });
    begin = end;
  }
  return pieces;
}
