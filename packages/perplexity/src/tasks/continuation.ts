// Log probabilities of the ends of several sequences that begin alike: what they share goes through the model once, then
// each end in turn over the same places of the cache.
import type { Model } from '@quern/models';
import { fillCache, logitsOf, requireCells, type TargetScorer } from '../model-run.ts';

export interface Continuation {
  readonly ids: Int32Array;
  /** First token that is wanted; at least 1. */
  readonly from: number;
}

/** @returns for each sequence, log p of ids[from…] */
export async function continuationLogProbs(
  model: Model,
  scorer: TargetScorer,
  list: readonly Continuation[],
  signal?: AbortSignal,
): Promise<Float32Array[]> {
  requireCells(model, Math.max(...list.map(({ ids }) => ids.length - 1)));
  // The last shared token is computed with each end, for its logits.
  const shared = Math.min(commonPrefix(list.map(({ ids }) => ids)), ...list.map(({ from }) => from)) - 1;
  await fillCache(model, list[0]!.ids, 0, shared, signal);
  const results: Float32Array[] = [];
  for (const { ids, from } of list) {
    const result = new Float32Array(ids.length - from);
    await fillCache(model, ids, shared, from - 1, signal);
    for await (const { first, count, logits } of logitsOf(model, ids, from - 1, ids.length - 1, signal))
      result.set(await scorer.logProbs(logits, ids.subarray(first + 1, first + 1 + count)), first - (from - 1));
    results.push(result);
  }
  return results;
}

/** How many tokens all sequences have in common at their beginning. */
export function commonPrefix(sequences: readonly Int32Array[]): number {
  const shortest = Math.min(...sequences.map((ids) => ids.length));
  let length = 0;
  while (length < shortest && sequences.every((ids) => ids[length] === sequences[0]![length])) length++;
  return length;
}
