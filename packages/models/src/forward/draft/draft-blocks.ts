// Draft blocks of a loaded model (multi-token prediction), as who guesses with them sees them. A draft block reads pairs: the
// hidden state of a position and the token that follows it; it keeps keys and values of the pairs as the other blocks do of
// the tokens, in the same cache blocks and slots, under the position of the hidden state. Its logits are of the token after
// the pair's, and its own hidden states go on: to itself or to the next draft block, with the token that was guessed.
import type { Tensor } from '@quern/runtime';
import type { MatmulObserver, OutputBatch, TokenBatch } from '../model.ts';

export interface DraftPairs {
  /** Which draft block. Default 0. */
  readonly block?: number;
  /** Hidden states of the last pass over the network, or of the last one over a draft block. */
  readonly from: 'network' | 'draft';
  /** [T] rows of that pass: hidden state t stands before token t of the batch, at position `positions[t]`. */
  readonly hiddenRows: Int32Array;
}

export interface DraftBlocks {
  readonly count: number;
  /**
   * Logits [N, vocab] of the tokens behind those of the wanted rows; where `Model.forward` gives its own, which they overwrite.
   * @throws QuernError `batch-invalid`, and those of `Model.forward`
   */
  forward(batch: OutputBatch & DraftPairs, observer?: MatmulObserver): Promise<Tensor>;
  /** The same without logits. An observer sees the input of an output matrix of its own all the same. */
  prefill(batch: TokenBatch & DraftPairs, observer?: MatmulObserver): Promise<void>;
}
