// The engine without threads: requests in, one batch per step, tokens out. The worker drives it; so do tests.
import { QuernError } from '@quern/errors';
import type { Model, OutputBatch } from '@quern/models';
import { advance } from './advance.ts';
import { batchOf, completes } from './batch.ts';
import { KvCache } from './cache/kv-cache.ts';
import { SlotTexts } from './cache/slot-texts.ts';
import { StateMoves } from './cache/state-moves.ts';
import type { StateSizes } from './cache/text-file.ts';
import type { Grammars } from './grammars.ts';
import { areAllFinite, copyOf, highestIn, type LogitRow, readRows } from './logit-rows.ts';
import { notFinite } from './not-finite.ts';
import type { GenerateOptions } from './request.ts';
import { RunTotals } from './run-totals.ts';
import { topLogProbs } from './sampling/log-probs.ts';
import type { Share } from './scheduling/divide.ts';
import { Pace } from './scheduling/pace.ts';
import { Scheduler } from './scheduling/scheduler.ts';
import type { Outcome, Sequence } from './scheduling/sequence.ts';
import type { Drafter } from './speculation/drafter.ts';
import { Rollback } from './speculation/rollback.ts';
import type { EngineStats } from './stats.ts';
import { noRoomForLanes, sequencesOf } from './submission.ts';

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
  readonly #totals = new RunTotals();

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
      totals: { ...this.#totals.sums, preemptions },
      latencies: this.#totals.latencies,
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
   * and each has its own seed: that of the request, the next one, and so on. Those of a beam search are its best ones, and end
   * together.
   * @throws QuernError as `submit`
   */
  submitBranches(
    prompt: Int32Array,
    options: GenerateOptions,
    emits: readonly ((outcome: Outcome) => void)[],
  ): Sequence[] {
    const { hyperparameters, state, maxSequences, blocks, blockTokens, adapters } = this.#model;
    const limits = {
      ...{ vocabSize: hyperparameters.vocabSize, contextTokens: this.#contextTokens, usesSlots: state.usesSlots },
      ...{ maxSequences, blocks, blockTokens, adapters },
    };
    const all = sequencesOf(prompt, options, emits, limits, this.#grammars);
    this.#scheduler.enqueue(all[0]!);
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
    // What is dictated is known ahead: as many at a time as there are rows of logits.
    for (const sequence of this.#scheduler.decoding())
      if (sequence.dictated) sequence.drafts = sequence.dictated.slice(sequence.generated);
    const shares = this.#scheduler.plan();
    if (shares.length === 0) {
      // All that runs are lanes whose search waits for one that finds no room.
      const [lane] = this.#scheduler.running;
      if (lane) this.#end(lane, { error: noRoomForLanes() });
      return this.#moves.run();
    }
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
    this.#totals.step(shares);
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
    const rowsOf = await readRows(this.#model, logits, complete);
    const broken: Sequence[] = [];
    for (const [i, { sequence }] of complete.entries()) {
      const rows = rowsOf[i]!;
      if (sequence.ended) continue; // cancelled while the device was computing
      if (!rows.every(areAllFinite)) {
        broken.push(sequence);
        continue;
      }
      if (sequence.beams) {
        sequence.beams.offer(sequence, topLogProbs(highestIn(rows[0]!, sequence.beams.needs), sequence.beams.needs));
        continue;
      }
      for (const branch of this.#startBranches(sequence)) this.#advance(branch, [copyOf(rows[0]!)]);
      this.#advance(sequence, rows);
    }
    this.#choose(complete);
    if (broken.length === 0) return;
    const place = await this.#model.locateNonFinite(batch);
    for (const sequence of broken) this.#end(sequence, { error: notFinite(sequence.tokens.length, place) }, 'discard');
  }

  #advance(sequence: Sequence, rows: readonly LogitRow[]): void {
    const { generated } = sequence;
    const accepted = advance(sequence, rows, (ended, outcome) => this.#end(ended, outcome));
    this.#totals.tokens(sequence, generated);
    this.#rollback.settle(sequence);
    if (rows.length > 1 && !sequence.dictated) this.#drafter?.judge(sequence, rows.length - 1, accepted);
  }

  /** Lets the beam searches go on whose lanes have all been computed. */
  #choose(complete: readonly Share[]): void {
    for (const { sequence } of complete) {
      const { beams, ended } = sequence;
      if (ended || !beams?.canChoose) continue;
      if (!beams.choose(this.#scheduler)) this.#end(sequence, { event: sequence.finishEvent('length') });
    }
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

  /** Ends a sequence; of a beam search all lanes together. */
  #end(sequence: Sequence, outcome: Outcome, how: 'release' | 'discard' = 'release'): void {
    if (sequence.ended) return;
    const all = sequence.beams?.lanes ?? [sequence];
    this.#totals.ended(all, outcome);
    for (const one of all) {
      one.ended = true;
      this.#rollback.settle(one);
      this.#scheduler.remove(one, how);
    }
    for (const branch of sequence.branches) if (!branch.ended) this.#scheduler.enqueue(branch);
    if (sequence.beams) sequence.beams.end(outcome);
    else sequence.emit(outcome);
  }
}
