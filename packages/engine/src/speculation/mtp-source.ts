// Guesses of the model's own draft blocks (MTP). They go along with the network: after each pass every position that was
// kept is paired with the token that follows, which also gives the first guess; further guesses go on from the block's own
// hidden states, one pass for all sequences each. Models with several draft blocks are asked the first of them over and over,
// as serving engines do: its keys and values are those that are there.
//
// What it keeps lies in the cache blocks of the sequence, in the same places as the network's own. A block that another
// sequence has left may hold one pair with a token that came there: such a thing makes a guess worse, and never the reply.
import type { DraftBlocks, Model, OutputBatch } from '@quern/models';
import type { Share } from '../scheduling/divide.ts';
import type { Sequence } from '../scheduling/sequence.ts';
import type { GuessSource, Wanted } from './guess-source.ts';

import { batchOfRuns, type Likeliest, lastPosition, type Run, readLikeliest } from './model-rows.ts';
import type { Speculating } from './options.ts';

/** A guess, and the row of the last pass over the draft block that it came from. */
interface Head extends Likeliest {
  readonly row: number;
}

export class MtpSource implements GuessSource {
  readonly type = 'draft-mtp';
  readonly maxDrafts: number;
  readonly #model: Model;
  readonly #draft: DraftBlocks;
  readonly #minProbability: number;
  #heads = new Map<Sequence, Head>();

  /** @param model loaded with its draft blocks */
  constructor(model: Model, { maxDrafts, minProbability }: Pick<Speculating, 'maxDrafts' | 'minProbability'>) {
    this.#model = model;
    this.#draft = model.draft!;
    this.maxDrafts = maxDrafts;
    this.#minProbability = minProbability;
  }

  async follow(
    shares: readonly Share[],
    { positions }: OutputBatch,
    guesses: (sequence: Sequence) => boolean,
  ): Promise<void> {
    this.#heads = new Map();
    const runs: Run[] = [];
    const hiddenRows: number[] = [];
    let row = 0;
    for (const { sequence, count, drafts } of shares) {
      const first = positions[row]!;
      const kept = sequence.ended || sequence.slot === undefined ? 0 : sequence.computed - first;
      if (kept > 0 && sequence.mostDrafts > 0) {
        const tokens = sequence.tokens.slice(first + 1, first + kept + 1);
        runs.push({ sequence, tokens, first, wanted: sequence.pending === 1 && guesses(sequence) });
        for (let i = 0; i < kept; i++) hiddenRows.push(row + i);
      }
      row += count + drafts;
    }
    if (runs.length > 0) await this.#compute(runs, 'network', hiddenRows);
  }

  async guess(wanted: readonly Wanted[]): Promise<number[][]> {
    const guesses = wanted.map((): number[] => []);
    for (;;) {
      const going = wanted.flatMap(({ sequence, most }, n) => {
        const head = this.#heads.get(sequence);
        if (!head || guesses[n]!.length >= most || head.probability < this.#minProbability) return [];
        guesses[n]!.push(head.token);
        const first = sequence.computed + guesses[n]!.length - 1;
        const goesOn = guesses[n]!.length < most && first <= lastPosition(sequence, this.#model);
        return goesOn ? [{ run: { sequence, tokens: [head.token], first, wanted: true }, row: head.row }] : [];
      });
      this.#heads = new Map();
      if (going.length === 0) return guesses;
      await this.#compute(
        going.map(({ run }) => run),
        'draft',
        going.map(({ row }) => row),
      );
    }
  }

  async #compute(runs: readonly Run[], from: 'network' | 'draft', hiddenRows: readonly number[]): Promise<void> {
    const batch = { ...batchOfRuns(runs, this.#model), from, hiddenRows: Int32Array.from(hiddenRows) };
    const { outputRows } = batch;
    if (outputRows.length === 0) return this.#draft.prefill(batch);
    const heads = await readLikeliest(this.#model, await this.#draft.forward(batch));
    for (const [n, { sequence }] of runs.filter(({ wanted }) => wanted).entries())
      this.#heads.set(sequence, { ...heads[n]!, row: outputRows[n]! });
  }
}
