// Who gets how much of a batch. Every decoding sequence computes its one token; the room that is left for prompts goes to those that still
// read theirs, in turn (reading-turns.ts). Drafts get what is left then, of tokens, rows of logits and blocks: nobody waits for a
// guess.
import type { KvCache } from '../cache/kv-cache.ts';
import { readingTurns } from './reading-turns.ts';
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

/** @param running in turn */
export function divide(running: readonly Sequence[], room: BatchRoom, cache: KvCache): Share[] {
  const decoding = running.filter(({ pending }) => pending === 1);
  const readers = running.filter(({ pending }) => pending > 1);
  const most = room.promptTokens === 0 ? 0 : Math.max(room.promptTokens, readers.length);
  const prompts = readingTurns(readers, Math.min(room.batchTokens - decoding.length, most));
  const counts = new Map([...decoding.map((sequence) => [sequence, 1] as const), ...prompts]);
  let tokens = room.batchTokens;
  for (const count of counts.values()) tokens -= count;
  let rows = room.maxOutputs - counts.size;
  const shares = [...counts].map(([sequence, count]) => {
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
