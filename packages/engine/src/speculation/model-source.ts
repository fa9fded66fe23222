// Guesses of a smaller model with the same vocabulary. It has a cache of the same shape as the large one's and keeps what it
// computes of a sequence in the blocks and the slot of the same numbers (draft-memory.ts). Before it guesses it reads what the
// sequence has become; its own guesses are written over when they were wrong. Where its state cannot be taken back (recurrent
// layers), the state before the guesses is put back after them.
import type { Model } from '@quern/models';
import type { Sequence } from '../scheduling/sequence.ts';
import { BlockMemory, type DraftMemory, SlotMemory } from './draft-memory.ts';
import type { GuessSource, Wanted } from './guess-source.ts';
import { batchOfRuns, type Likeliest, lastPosition, type Run, readLikeliest } from './model-rows.ts';
import type { Speculating } from './options.ts';

export class ModelSource implements GuessSource {
  readonly type = 'draft-simple';
  readonly maxDrafts: number;
  readonly #model: Model;
  readonly #vocabSize: number;
  readonly #minProbability: number;
  readonly #memory: DraftMemory;
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
    this.#memory = new (model.state.usesSlots ? SlotMemory : BlockMemory)(model.blockTokens);
  }

  /** A step adds a token, and as many as were guessed rightly. */
  async prepare(sequences: readonly Sequence[]): Promise<void> {
    await this.#catchUp(sequences, this.maxDrafts + 1);
  }

  async guess(wanted: readonly Wanted[]): Promise<number[][]> {
    this.#heads = new Map();
    await this.#catchUp(
      wanted.map(({ sequence }) => sequence),
      0,
    );
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

  /** Reads what it has not read but the last `rest` tokens, all sequences together; the last token of each gives its first guess. */
  async #catchUp(sequences: readonly Sequence[], rest: number): Promise<void> {
    const isOpen = (sequence: Sequence): boolean =>
      this.#isReadable(sequence) && this.#computed(sequence) < sequence.tokens.length - rest;
    const open = sequences.filter(isOpen);
    while (open.length > 0) {
      let room = this.#model.batchTokens;
      const runs: Run[] = [];
      for (const sequence of [...open]) {
        const first = this.#computed(sequence);
        const count = Math.min(room, sequence.tokens.length - rest - first);
        if (count === 0) continue;
        const last = first + count === sequence.tokens.length - rest;
        const tokens = sequence.tokens.slice(first, first + count);
        runs.push({ sequence, tokens, first, wanted: last && rest === 0 });
        room -= count;
        if (last) open.splice(open.indexOf(sequence), 1);
      }
      await this.#compute(runs, false);
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
      await this.#compute(runs, true);
    }
  }

  async #compute(runs: readonly Run[], guessed: boolean): Promise<void> {
    for (const run of runs) this.#memory.write(run, guessed);
    const batch = batchOfRuns(runs, this.#model);
    if (batch.outputRows.length === 0) return this.#model.prefill(batch);
    const heads = await readLikeliest(this.#model, await this.#model.forward(batch));
    for (const [n, { sequence }] of runs.filter((run) => run.wanted).entries()) this.#heads.set(sequence, heads[n]!);
  }

  #isReadable(sequence: Sequence): boolean {
    const { tokens } = sequence;
    const { vocabSize } = this.#model.hyperparameters;
    const computed = this.#computed(sequence);
    if (tokens.length - 1 > this.#lastPosition(sequence)) return false;
    return tokens.slice(computed).every((token) => token < vocabSize);
  }

  /** The last token is computed once more, if need be: what follows it is asked for. */
  #computed(sequence: Sequence): number {
    return Math.min(this.#memory.computed(sequence), sequence.tokens.length - 1);
  }

  #lastPosition(sequence: Sequence): number {
    return Math.min(lastPosition(sequence, this.#model), this.#model.hyperparameters.contextLength - 1);
  }
}
