// The engine without threads: requests in, one batch per step, tokens out. The worker drives it; so do tests.
import { QuernError } from '@quern/errors';
import type { Model, OutputBatch } from '@quern/models';
import { batchOf, completes } from './batch.ts';
import { KvCache } from './cache/kv-cache.ts';
import { SlotTexts } from './cache/slot-texts.ts';
import { StateMoves } from './cache/state-moves.ts';
import type { StateSizes } from './cache/text-file.ts';
import { type Grammars, noVocabulary } from './grammars.ts';
import { areFinite, notFinite } from './not-finite.ts';
import type { GenerateOptions } from './request.ts';
import { logSumExp, topLogProbs } from './sampling/log-probs.ts';
import type { Share } from './scheduling/divide.ts';
import { Pace } from './scheduling/pace.ts';
import { Scheduler } from './scheduling/scheduler.ts';
import { type Outcome, Sequence } from './scheduling/sequence.ts';
import type { Drafter } from './speculation/drafter.ts';
import { Rollback } from './speculation/rollback.ts';
import type { EngineStats } from './stats.ts';

export interface CoreOptions {
  readonly contextTokens: number;
  /** Bytes of what is kept of earlier requests, on the device and on the host. Default: 0, nothing is kept. */
  readonly cacheRamBytes?: number;
  /** Guesses tokens; `maxOutputs` of the model bounds how many are looked at in one step. */
  readonly drafter?: Drafter;
  /** For requests with a grammar. */
  readonly grammars?: Grammars;
}

export class EngineCore {
  readonly stateSizes: StateSizes;
  /** The last text of each slot. */
  readonly texts: SlotTexts;
  readonly #model: Model;
  readonly #contextTokens: number;
  readonly #moves: StateMoves;
  readonly #cache: KvCache;
  readonly #pace: Pace;
  readonly #scheduler: Scheduler;
  readonly #drafter?: Drafter;
  readonly #rollback: Rollback;
  readonly #grammars?: Grammars;
  readonly #totals = { steps: 0, promptTokens: 0, cachedTokens: 0, generatedTokens: 0 };

  /**
   * `model` must have been loaded with `maxOutputs` ≥ `maxSequences`, `batchTokens` ≥ `maxSequences` and at least
   * `contextTokens` cells.
   * @throws QuernError `engine-option-invalid`
   */
  constructor(model: Model, { contextTokens, cacheRamBytes = 0, drafter, grammars }: CoreOptions) {
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
    this.#moves = new StateMoves(model.state);
    const sizes = {
      ...{ blocks, blockTokens, slots },
      blockBytes: model.state.snapshotBytes(1, false),
      slotBytes: model.state.snapshotBytes(0, true),
      budgetBytes: cacheRamBytes,
    };
    this.stateSizes = sizes;
    this.#cache = new KvCache(sizes, this.#moves);
    this.texts = new SlotTexts(this.#cache, model.state);
    this.#pace = new Pace(batchTokens);
    this.#scheduler = new Scheduler(this.#cache, { batchTokens, maxSequences, maxOutputs }, this.#pace);
    this.#drafter = drafter;
    this.#rollback = new Rollback(this.#moves, model.state.rewinds);
    this.#grammars = grammars;
  }

  /** Nothing to compute. */
  get idle(): boolean {
    return this.#scheduler.waiting.length === 0 && this.#scheduler.running.length === 0;
  }

  /** Blocks of the KV cache that no request uses. */
  get freeBlocks(): number {
    return this.#cache.store.available;
  }

  get stats(): EngineStats {
    const { running, waiting, preemptions } = this.#scheduler;
    return {
      requests: { running: running.length, waiting: waiting.length },
      slots: this.#cache.lastTexts.map(({ tokens }, id) => {
        const sequence = running.find(({ slot }) => slot === id);
        return { id, processing: sequence !== undefined, tokens: (sequence?.tokens ?? tokens).length };
      }),
      ...this.#cache.store.stats,
      totals: { ...this.#totals, preemptions },
      ...(this.#drafter?.stats && { speculation: this.#drafter.stats }),
    };
  }

  /**
   * Queues a request. `emit` receives its tokens and at last a finish event or an error, always from within `step` or
   * `cancel`.
   * @throws QuernError when the request is not acceptable: see `Sequence`
   */
  submit(prompt: Int32Array, options: GenerateOptions, emit: (outcome: Outcome) => void): Sequence {
    return this.submitBranches(prompt, options, [emit])[0]!;
  }

  /**
   * Queues a request for several replies, one for each of `emits`. The prompt is computed once; the replies share its blocks,
   * and each has its own seed: that of the request, the next one, and so on.
   * @throws QuernError as `submit`
   */
  submitBranches(
    prompt: Int32Array,
    options: GenerateOptions,
    emits: readonly ((outcome: Outcome) => void)[],
  ): Sequence[] {
    const { hyperparameters, state } = this.#model;
    const limits = {
      vocabSize: hyperparameters.vocabSize,
      contextTokens: this.#contextTokens,
      usesSlots: state.usesSlots,
    };
    const first = new Sequence(prompt, options, limits, emits[0]!);
    first.branches = emits.slice(1).map((emit, i) => {
      const seed = (first.seed + i + 1) % Number.MAX_SAFE_INTEGER;
      return new Sequence(prompt, { ...options, sampling: { ...options.sampling, seed } }, limits, emit);
    });
    const all = [first, ...first.branches];
    if (options.grammar) {
      if (!this.#grammars) throw noVocabulary();
      for (const sequence of all)
        sequence.constraint = this.#grammars.constraint(options.grammar, options.grammarTrigger, sequence.stopTokens);
    }
    this.#scheduler.enqueue(first);
    return all;
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
    const startMs = performance.now();
    this.#endLate(startMs);
    await this.#drafter?.propose(this.#scheduler.decoding());
    const shares = this.#scheduler.plan();
    if (shares.length === 0) return this.#moves.run();
    const decoding = shares.filter(({ sequence }) => sequence.pending === 1).length;
    const batch = batchOf(shares, this.#model);
    const complete = shares.filter(completes);
    this.#rollback.keep(shares);
    for (const { sequence, count } of shares) sequence.computed += count;
    await this.#moves.run();
    if (complete.length === 0) await this.#model.prefill(batch);
    else await this.#sampleAll(complete, batch);
    await this.#drafter?.follow?.(shares, batch);
    for (const { sequence } of shares) if (sequence.isAtCheckpoint) this.#cache.checkpoint(sequence);
    const promptTokens = shares.reduce((sum, { count }) => sum + count, 0) - decoding;
    this.#totals.steps++;
    this.#pace.learn(decoding, promptTokens, performance.now() - startMs);
  }

  /** Ends the requests whose time is over. */
  #endLate(now: number): void {
    for (const sequence of [...this.#scheduler.running, ...this.#scheduler.waiting]) {
      if (sequence.deadline > now) continue;
      if (sequence.generated > 0) this.#end(sequence, { event: sequence.finishEvent('deadline') });
      else
        this.#end(sequence, { error: new QuernError('deadline-exceeded', 'There was no token before the deadline.') });
    }
  }

  async #sampleAll(complete: readonly Share[], batch: OutputBatch): Promise<void> {
    const logits = await this.#model.forward(batch);
    const bytes = await this.#model.device.read(logits);
    const { vocabSize } = this.#model.hyperparameters;
    const broken: Sequence[] = [];
    let row = 0;
    for (const { sequence, drafts } of complete) {
      const rows = Array.from(
        { length: 1 + drafts },
        () => new Float32Array(bytes.buffer, bytes.byteOffset + 4 * row++ * vocabSize, vocabSize),
      );
      if (sequence.ended) continue; // cancelled while the device was computing
      if (!rows.every(areFinite)) {
        broken.push(sequence);
        continue;
      }
      for (const branch of this.#startBranches(sequence)) this.#advance(branch, [rows[0]!.slice()]);
      this.#advance(sequence, rows);
    }
    if (broken.length === 0) return;
    const place = await this.#model.locateNonFinite(batch);
    for (const sequence of broken)
      this.#end(sequence, { error: notFinite(sequence.tokens.length, place) }, { discard: true });
  }

  /** Those that get a place beside their sequence, whose prompt has just been computed; the others wait for one. */
  #startBranches(sequence: Sequence): Sequence[] {
    const branches = sequence.branches.filter(({ ended }) => !ended);
    sequence.branches = [];
    for (const branch of branches) this.#scheduler.fork(sequence, branch);
    return branches.filter(({ slot }) => slot !== undefined);
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

  /** Samples what follows a sequence's last token, and what follows its drafts as long as they were right. */
  #advance(sequence: Sequence, rows: readonly Float32Array[]): void {
    const { drafts } = sequence;
    sequence.drafts = [];
    sequence.draftTokens += rows.length - 1;
    let accepted = 0;
    while (
      this.#sample(sequence, rows[accepted]) === drafts[accepted] &&
      accepted + 1 < rows.length &&
      !sequence.ended
    ) {
      sequence.computed++;
      sequence.acceptedTokens++;
      accepted++;
    }
    this.#rollback.settle(sequence);
    if (rows.length > 1) this.#drafter?.judge(sequence, rows.length - 1, accepted);
  }

  /** Samples the next token of a sequence; undefined when it ends without one. */
  #sample(sequence: Sequence, logits: Float32Array): number | undefined {
    try {
      const report = reportLogProbs(logits, sequence.logprobs);
      sequence.constraint?.apply(logits);
      const token = sequence.sampler.sample(logits);
      sequence.markToken();
      if (sequence.stopTokens.has(token)) {
        this.#end(sequence, { event: sequence.finishEvent('stop', token) });
        return undefined;
      }
      sequence.constraint?.accept(token);
      sequence.tokens.push(token);
      const first = sequence.generated === 1 ? { cachedTokens: sequence.cachedTokens } : {};
      sequence.emit({ event: { token, ...first, ...report(token) } });
      if (sequence.constraint?.finished) this.#end(sequence, { event: sequence.finishEvent('stop') });
      if (!sequence.ended && sequence.tokens.length >= sequence.endTokens)
        this.#end(sequence, { event: sequence.finishEvent('length') });
      return token;
    } catch (error) {
      if (!(error instanceof QuernError)) throw error;
      this.#end(sequence, { error });
      return undefined;
    }
  }

  #end(sequence: Sequence, outcome: Outcome, { discard = false } = {}): void {
    if (sequence.ended) return;
    sequence.ended = true;
    this.#rollback.settle(sequence);
    this.#totals.promptTokens += sequence.promptTokens;
    this.#totals.cachedTokens += sequence.cachedTokens;
    this.#totals.generatedTokens += sequence.generated;
    this.#scheduler.remove(sequence, { discard });
    for (const branch of sequence.branches) if (!branch.ended) this.#scheduler.enqueue(branch);
    sequence.emit(outcome);
  }
}

/** Reads what will be reported before the sampler overwrites the logits. */
function reportLogProbs(logits: Float32Array, count: number | undefined) {
  if (count === undefined) return () => ({});
  const normalizer = logSumExp(logits);
  const top = count > 0 ? { top: topLogProbs(logits, normalizer, count) } : {};
  const original = logits.slice();
  return (token: number) => ({ logprob: original[token] - normalizer, ...top });
}
