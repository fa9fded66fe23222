// Takes wrong guesses back out of states that cannot be written over (recurrent and convolution states): they have gone
// through all guesses of a step, right and wrong. The state from before the step is kept; when a guess was wrong it is put back, and
// the tokens of the step are computed again as part of the sequence's next step.
import type { HostCopy, StateMoves } from '../cache/state-moves.ts';
import type { Share } from '../scheduling/divide.ts';
import type { Sequence } from '../scheduling/sequence.ts';

interface Kept {
  readonly copy: HostCopy;
  readonly slot: number;
  /** Tokens that the kept state has seen, and those that the state has seen after the step. */
  readonly before: number;
  readonly after: number;
}

export class Rollback {
  readonly #moves: StateMoves;
  readonly #rewinds: boolean;
  readonly #kept = new Map<Sequence, Kept>();

  /** @param rewinds of the model: nothing needs to be kept */
  constructor(moves: StateMoves, rewinds: boolean) {
    this.#moves = moves;
    this.#rewinds = rewinds;
  }

  /** Before a pass, `computed` of the sequences not yet gone on. */
  keep(shares: readonly Share[]): void {
    if (this.#rewinds) return;
    for (const { sequence, count, drafts } of shares) {
      if (drafts === 0) continue;
      const { computed: before, slot } = sequence;
      const copy: HostCopy = {};
      this.#moves.saveSlot(slot!, copy);
      this.#kept.set(sequence, { copy, slot: slot!, before, after: before + count + drafts });
    }
  }

  /** After the pass, or when the sequence ends: the state is then that of `computed` tokens. */
  settle(sequence: Sequence): void {
    const kept = this.#kept.get(sequence);
    if (!kept) return;
    this.#kept.delete(sequence);
    if (sequence.computed === kept.after) return;
    this.#moves.loadSlot(kept.copy, kept.slot);
    sequence.computed = kept.before;
  }
}
