// A source of guesses: each kind is a file beside this one, and `speculation.ts` asks them.
import type { OutputBatch } from '@quern/models';
import type { Share } from '../scheduling/divide.ts';
import type { Sequence } from '../scheduling/sequence.ts';
import type { SpeculationType } from './options.ts';

export interface Wanted {
  readonly sequence: Sequence;
  /** Most tokens to guess. */
  readonly most: number;
}

export interface GuessSource {
  readonly type: SpeculationType;
  /** Most tokens of one guess. */
  readonly maxDrafts: number;
  /** Reads what a sequence was before its last step (a prompt), once for all its guesses: no part of what one of them costs. */
  prepare?(sequences: readonly Sequence[]): Promise<void>;
  /** Guesses of the tokens behind each sequence's last one, in the order of `wanted`; none where it knows nothing. */
  guess(wanted: readonly Wanted[]): Promise<(readonly number[])[]>;
  /** Called after each pass over the network, when what follows is known: for a source that goes along with it. */
  follow?(shares: readonly Share[], batch: OutputBatch, guesses: (sequence: Sequence) => boolean): Promise<void>;
}
