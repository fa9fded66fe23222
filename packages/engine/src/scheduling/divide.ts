// Who gets how much of a batch. Every decoding sequence computes its one token; the room that is left for prompts is divided evenly
// over the sequences that still read theirs, so that a short prompt need not wait for a long one. Drafts get what is left
// then, of tokens, rows of logits and blocks: nobody waits for a guess.
import type { KvCache } from '../cache/kv-cache.ts';
import type { Sequence } from './sequence.ts';

/** The next `count` tokens of a sequence, and so many of its drafts behind them. */
export interface Share {
  readonly sequence: Sequence;
  readonly count: number;
  readonly drafts: number;
}

export interface BatchRoom {
  readonly batchTokens: number;
  /** Of these, those that may be of prompts: 0, or at least one for each reader. */
  readonly promptTokens: number;
  /** Rows of logits. */
  readonly maxOutputs: number;
}

export function divide(running: readonly Sequence[], room: BatchRoom, cache: KvCache): Share[] {
  // Shortest first: what a short prompt leaves of its even share goes to the longer ones.
  const inOrder = running.filter(({ pending }) => pending > 0).sort((a, b) => a.pending - b.pending);
  const readers = inOrder.filter(({ pending }) => pending > 1).length;
  const most = room.promptTokens === 0 ? 0 : Math.max(room.promptTokens, readers);
  let left = Math.min(room.batchTokens - (inOrder.length - readers), most);
  let tokens = room.batchTokens;
  const counts = inOrder.map((sequence, i) => {
    if (sequence.pending === 1) return 1;
    const share = Math.floor(left / (inOrder.length - i));
    const count = Math.min(sequence.pending, sequence.nextCheckpoint - sequence.computed, share);
    left -= count;
    return count;
  });
  for (const count of counts) tokens -= count;
  let rows = room.maxOutputs - inOrder.length;
  const shares = inOrder.map((sequence, i) => {
    const count = counts[i]!;
    const drafts = count < sequence.pending ? 0 : draftsOf(sequence, Math.min(tokens, rows), cache);
    tokens -= drafts;
    rows -= drafts;
    return { sequence, count, drafts };
  });
  return shares.filter(({ count }) => count > 0);
}

/** How many drafts are computed: none behind the sequence's end, and only what free blocks hold. */
function draftsOf(sequence: Sequence, most: number, cache: KvCache): number {
  const { drafts, endTokens, tokens } = sequence;
  const wanted = Math.min(drafts.length, most, endTokens - 1 - tokens.length);
  return wanted > 0 ? cache.stretch(sequence, wanted) : 0;
}
