// The engine without threads: requests in, one batch per step, tokens out. The worker drives it; so do tests.
import { QuernError } from '@quern/errors';
import type { Model, TokenBatch } from '@quern/models';
import type { GenerateOptions } from './request.ts';
import { logSumExp, topLogProbs } from './sampling/log-probs.ts';
import { BlockAllocator } from './scheduling/block-allocator.ts';
import { Scheduler, type Share } from './scheduling/scheduler.ts';
import { type Outcome, Sequence } from './scheduling/sequence.ts';

export class EngineCore {
  readonly #model: Model;
  readonly #contextTokens: number;
  readonly #allocator: BlockAllocator;
  readonly #scheduler: Scheduler;

  /**
   * `model` must have been loaded with `maxOutputs` ≥ `maxSequences`, `batchTokens` ≥ `maxSequences` and at least
   * `contextTokens` cells.
   * @throws QuernError `engine-option-invalid`
   */
  constructor(model: Model, { contextTokens }: { contextTokens: number }) {
    const { blocks, blockTokens, batchTokens, maxSequences, maxOutputs, slots } = model;
    const cells = blocks * blockTokens;
    if (contextTokens > cells)
      throw new QuernError(
        'engine-option-invalid',
        `A context of ${contextTokens} tokens does not fit in a cache of ${cells}.`,
      );
    if (maxSequences > batchTokens || maxSequences > maxOutputs)
      throw new QuernError(
        'engine-option-invalid',
        `${maxSequences} sequences need batches of at least as many tokens and outputs (${batchTokens}, ${maxOutputs}).`,
      );
    this.#model = model;
    this.#contextTokens = contextTokens;
    this.#allocator = new BlockAllocator(blocks);
    this.#scheduler = new Scheduler(this.#allocator, { batchTokens, maxSequences, blockTokens, slots });
  }

  /** Nothing to compute. */
  get idle(): boolean {
    return this.#scheduler.waiting.length === 0 && this.#scheduler.running.length === 0;
  }

  get freeBlocks(): number {
    return this.#allocator.free;
  }

  get waitingRequests(): number {
    return this.#scheduler.waiting.length;
  }

  /**
   * Queues a request. `emit` receives its tokens and at last a finish event or an error, always from within `step` or
   * `cancel`.
   * @throws QuernError when the request is not acceptable: see `Sequence`
   */
  submit(prompt: Int32Array, options: GenerateOptions, emit: (outcome: Outcome) => void): Sequence {
    const limits = { vocabSize: this.#model.hyperparameters.vocabSize, contextTokens: this.#contextTokens };
    const sequence = new Sequence(prompt, options, limits, emit);
    this.#scheduler.enqueue(sequence);
    return sequence;
  }

  /** Ends a request at once, whatever it is doing; its cache blocks are free when this returns. */
  cancel(sequence: Sequence): void {
    this.#end(sequence, { event: sequence.finishEvent('cancelled') });
  }

  /**
   * Computes one batch and hands out its tokens. Calls must not overlap. An error here is the device's: no request can
   * be expected to work after it.
   */
  async step(): Promise<void> {
    const shares = this.#scheduler.plan();
    if (shares.length === 0) return;
    const batch = this.#batchOf(shares);
    for (const { sequence, count } of shares) sequence.computed += count;
    const complete = shares.filter(({ sequence }) => sequence.pending === 0);
    if (complete.length === 0) {
      await this.#model.prefill(batch);
      return;
    }
    const outputs = { ...batch, outputRows: lastRows(shares) };
    const logits = await this.#model.forward(outputs);
    const bytes = await this.#model.device.read(logits);
    const vocabSize = this.#model.hyperparameters.vocabSize;
    const broken: Sequence[] = [];
    for (const [n, { sequence }] of complete.entries()) {
      if (sequence.ended) continue; // cancelled while the device was computing
      const row = new Float32Array(bytes.buffer, bytes.byteOffset + 4 * n * vocabSize, vocabSize);
      if (areFinite(row)) this.#advance(sequence, row);
      else broken.push(sequence);
    }
    if (broken.length === 0) return;
    const place = await this.#model.locateNonFinite(outputs);
    for (const sequence of broken) this.#end(sequence, { error: notFinite(sequence.tokens.length, place) });
  }

  /** Ends what is running with `error`; returns what is waiting, for another core to adopt. Nothing is left. */
  abandon(error: QuernError): Sequence[] {
    for (const sequence of [...this.#scheduler.running]) this.#end(sequence, { error });
    const waiting = [...this.#scheduler.waiting];
    for (const sequence of waiting) this.#scheduler.remove(sequence);
    return waiting;
  }

  /** Queues sequences of a core that had the same sizes. */
  adopt(sequences: readonly Sequence[]): void {
    for (const sequence of sequences) this.#scheduler.enqueue(sequence);
  }

  #batchOf(shares: readonly Share[]): TokenBatch {
    const total = shares.reduce((sum, { count }) => sum + count, 0);
    const batch = {
      tokens: new Int32Array(total),
      positions: new Int32Array(total),
      seqs: new Int32Array(total),
      blockTable: new Int32Array(shares.length * this.#model.tableWidth),
      slots: Int32Array.from(shares, ({ sequence }) => sequence.slot!),
    };
    let t = 0;
    for (const [s, { sequence, count }] of shares.entries()) {
      batch.blockTable.set(sequence.blocks, s * this.#model.tableWidth);
      for (let i = 0; i < count; i++, t++) {
        batch.positions[t] = sequence.computed + i;
        batch.tokens[t] = sequence.tokens[sequence.computed + i];
        batch.seqs[t] = s;
      }
    }
    return batch;
  }

  /** Samples the next token of a sequence from its logits. */
  #advance(sequence: Sequence, logits: Float32Array): void {
    try {
      const report = reportLogProbs(logits, sequence.logprobs);
      const token = sequence.sampler.sample(logits);
      sequence.markToken();
      if (sequence.stopTokens.has(token)) {
        this.#end(sequence, { event: sequence.finishEvent('stop', token) });
        return;
      }
      sequence.tokens.push(token);
      sequence.emit({ event: { token, ...report(token) } });
      if (!sequence.ended && sequence.tokens.length >= sequence.endTokens)
        this.#end(sequence, { event: sequence.finishEvent('length') });
    } catch (error) {
      if (!(error instanceof QuernError)) throw error;
      this.#end(sequence, { error });
    }
  }

  #end(sequence: Sequence, outcome: Outcome): void {
    if (sequence.ended) return;
    sequence.ended = true;
    this.#scheduler.remove(sequence);
    sequence.emit(outcome);
  }
}

/** Rows of the batch that hold the last token of the sequences whose tokens are all computed. */
function lastRows(shares: readonly Share[]): Int32Array {
  const rows: number[] = [];
  let end = 0;
  for (const { sequence, count } of shares) {
    end += count;
    if (sequence.pending === 0) rows.push(end - 1);
  }
  return Int32Array.from(rows);
}

function areFinite(logits: Float32Array): boolean {
  let zero = 0;
  for (let i = 0; i < logits.length; i++) zero += logits[i] * 0;
  return zero === 0;
}

/**
 * NaN and infinity come from broken weights or an overflow; sampling from them would only look like a reply.
 * @param place what gave them first, when the batch was computed once more
 */
function notFinite(position: number, place: string | undefined): QuernError {
  const origin = place === undefined ? 'computed once more, they do not' : `they first appear in ${place}`;
  const remedy =
    place === undefined
      ? 'The device computes unreliably: check it, or use another one.'
      : 'The weights may be damaged, or too large for their type.';
  const message = `The model's logits at position ${position} hold NaN or infinity; ${origin}.`;
  return new QuernError('logits-not-finite', message, { remedy });
}

/** Reads what will be reported before the sampler overwrites the logits. */
function reportLogProbs(logits: Float32Array, count: number | undefined) {
  if (count === undefined) return () => ({});
  const normalizer = logSumExp(logits);
  const top = count > 0 ? { top: topLogProbs(logits, normalizer, count) } : {};
  const original = logits.slice();
  return (token: number) => ({ logprob: original[token] - normalizer, ...top });
}
