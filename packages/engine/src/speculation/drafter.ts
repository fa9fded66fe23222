// Where guesses come from. A sequence may offer several tokens per step: a drafter puts guesses of its next tokens in
// `sequence.drafts`; the step computes as many of them as have room, behind the sequence's own token, and samples one token
// after each in turn. Guesses that agree with what is sampled are kept, the rest is taken back: positions behind
// `sequence.computed` are written again by later steps. Every token is thus sampled from the model's own distribution, with
// the random numbers that it would have had alone, whatever was guessed.
import type { OutputBatch } from '@quern/models';
import type { Share } from '../scheduling/divide.ts';
import type { Sequence } from '../scheduling/sequence.ts';
import type { SpeculationStats } from './stats.ts';

export interface Drafter {
  /**
   * Called before each step with the sequences that have one token to compute; sets their `drafts`, which are empty when it is
   * called. What wrong guesses did to states that cannot be written over is taken back (rollback.ts).
   */
  propose(sequences: readonly Sequence[]): Promise<void>;
  /** Called after each step for every sequence that had drafts: how many were computed, and how many of them were right. */
  judge(sequence: Sequence, drafted: number, accepted: number): void;
  /** Called at the end of each step, with what it has computed: for who goes along with the network. */
  follow?(shares: readonly Share[], batch: OutputBatch): Promise<void>;
  readonly stats?: SpeculationStats;
}
