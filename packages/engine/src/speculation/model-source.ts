// Guesses of a smaller model with the same vocabulary. It has a cache of the same shape as the large one's and keeps what it
// computes of a sequence in the blocks and the slot of the same numbers, so it has no memory of its own to manage. Before it guesses
// it reads what the sequence has become; its own guesses are written over when they were wrong. Where its state cannot be
// taken back (recurrent layers), the state before the guesses is put back after them.
import type { Model } from '@quern/models';
import type { Sequence } from '../scheduling/sequence.ts';
import type { GuessSource, Wanted } from './guess-source.ts';

import { batchOfRuns, type Likeliest, lastPosition, type Run, readLikeliest } from './model-rows.ts';
import type { Speculating } from './options.ts';

/** What of a sequence is in the small model's cache. */
interface Known {
  computed: number;
  slot: number;
  /** Blocks in which it lies. */
  blocks: number[];
}

export class ModelSource implements GuessSource {
  readonly type = 'draft-simple';
  readonly maxDrafts: number;
  readonly #model: Model;
  readonly #vocabSize: number;
  readonly #minProbability: number;
  readonly #known = new WeakMap<Sequence, Known>();
  #heads = new Map<Sequence, Likeliest>();

  /**
   * @param model the small one
   * @param vocabSize of the large one; the small one may know more tokens or fewer
   */
  constructor(
    model: Model,
    vocabSize: number,
    { maxDrafts, minProbability }: Pick<Speculating, 'maxDrafts' | 'minProbability'>,
  ) {
    this.#model = model;
    this.#vocabSize = Math.min(vocabSize, model.hyperparameters.vocabSize);
    this.maxDrafts = maxDrafts;
    this.#minProbability = minProbability;
  }

  async guess(wanted: readonly Wanted[]): Promise<number[][]> {
    this.#heads = new Map();
    await this.#catchUp(wanted);
    const rewinds = this.#model.state.rewinds;
    const before = rewinds
      ? []
      : await Promise.all(
          wanted.map(({ sequence }) => this.#model.state.snapshot({ blocks: [], slot: sequence.slot! })),
        );
    const guesses = await this.#goOn(wanted);
    for (const [n, snapshot] of before.entries())
      this.#model.state.restore(snapshot, { blocks: [], slot: wanted[n]!.sequence.slot! });
    return guesses;
  }

  /** Reads what it has not read, all sequences together; the last token of each gives its first guess. */
  async #catchUp(wanted: readonly Wanted[]): Promise<void> {
    const open = wanted.filter(({ sequence }) => this.#isReadable(sequence)).map(({ sequence }) => sequence);
    while (open.length > 0) {
      let room = this.#model.batchTokens;
      const runs: Run[] = [];
      for (const sequence of [...open]) {
        const known = this.#knownOf(sequence);
        const count = Math.min(room, sequence.tokens.length - known.computed);
        if (count === 0) continue;
        const first = known.computed;
        const last = first + count === sequence.tokens.length;
        runs.push({ sequence, tokens: sequence.tokens.slice(first, first + count), first, wanted: last });
        room -= count;
        known.computed += count;
        known.blocks = sequence.blocks.slice(0, Math.ceil(known.computed / this.#model.blockTokens));
        if (last) open.splice(open.indexOf(sequence), 1);
      }
      await this.#compute(runs);
    }
  }

  async #goOn(wanted: readonly Wanted[]): Promise<number[][]> {
    const guesses = wanted.map((): number[] => []);
    for (;;) {
      const runs = wanted.flatMap(({ sequence, most }, n): Run[] => {
        const head = this.#heads.get(sequence);
        if (!head || guesses[n]!.length >= most || head.probability < this.#minProbability) return [];
        if (head.token >= this.#vocabSize) return [];
        guesses[n]!.push(head.token);
        const first = sequence.tokens.length + guesses[n]!.length - 1;
        const goesOn = guesses[n]!.length < most && first <= this.#lastPosition(sequence);
        return goesOn ? [{ sequence, tokens: [head.token], first, wanted: true }] : [];
      });
      this.#heads = new Map();
      if (runs.length === 0) return guesses;
      await this.#compute(runs);
    }
  }

  async #compute(runs: readonly Run[]): Promise<void> {
    const batch = batchOfRuns(runs, this.#model);
    if (batch.outputRows.length === 0) return this.#model.prefill(batch);
    const heads = await readLikeliest(this.#model, await this.#model.forward(batch));
    for (const [n, { sequence }] of runs.filter((run) => run.wanted).entries()) this.#heads.set(sequence, heads[n]!);
  }

  #isReadable(sequence: Sequence): boolean {
    const { tokens } = sequence;
    const { vocabSize } = this.#model.hyperparameters;
    const { computed } = this.#knownOf(sequence);
    if (tokens.length - 1 > this.#lastPosition(sequence)) return false;
    return tokens.slice(computed).every((token) => token < vocabSize);
  }

  /** A sequence that was interrupted, or whose blocks have others in their place, begins with what is still there. */
  #knownOf(sequence: Sequence): Known {
    const known = this.#known.get(sequence);
    const { blockTokens, state } = this.#model;
    if (known && known.slot === sequence.slot) {
      const other = known.blocks.findIndex((block, n) => sequence.blocks[n] !== block);
      if (other < 0) {
        known.computed = Math.min(known.computed, sequence.tokens.length - 1);
        return known;
      }
      if (!state.usesSlots) {
        known.computed = Math.min(known.computed, other * blockTokens);
        return known;
      }
    }
    const fresh = { computed: 0, slot: sequence.slot!, blocks: [] };
    this.#known.set(sequence, fresh);
    return fresh;
  }

  #lastPosition(sequence: Sequence): number {
    return Math.min(lastPosition(sequence, this.#model), this.#model.hyperparameters.contextLength - 1);
  }
}
