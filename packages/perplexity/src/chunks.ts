// Which tokens are evaluated and which are scored (llama-perplexity, tools/perplexity): the text is cut into chunks of n
// tokens that do not overlap; a tail shorter than n is left out. Each chunk is evaluated from an empty cache. The first
// half only gives context: logits at positions n/2 … n-2 score the tokens n/2+1 … n-1. Models that want BOS see it in
// place of the chunk's first token.
import { QuernError } from '@quern/errors';

/** One scored token needs a position before it in the second half. */
const minContext = 3;

export interface Chunk {
  /** What the model sees, `[contextTokens]`. */
  inputs: Int32Array;
  /** First position whose logits are scored. */
  firstScored: number;
  /** The tokens after positions `firstScored…`, as they stand in the text. */
  targets: Int32Array;
}

export interface ChunkOptions {
  contextTokens: number;
  /** Evaluate at most this many chunks. */
  maxChunks?: number;
  /** Replaces the first token of every chunk; undefined for models that do not add BOS. */
  bos?: number;
}

/** @throws QuernError `perplexity-bad-context`, `text-too-short` with the numbers */
export function countChunks(
  tokenCount: number,
  { contextTokens, maxChunks = Number.POSITIVE_INFINITY }: ChunkOptions,
): number {
  if (!Number.isInteger(contextTokens) || contextTokens < minContext) {
    throw new QuernError(
      'perplexity-bad-context',
      `A context of ${contextTokens} tokens scores nothing; use at least ${minContext}.`,
    );
  }
  const needed = 2 * contextTokens;
  if (tokenCount < needed) {
    throw new QuernError(
      'text-too-short',
      `The text has ${tokenCount} tokens; a context of ${contextTokens} needs at least ${needed}.`,
      { remedy: 'Use a longer text or a smaller --ctx.' },
    );
  }
  return Math.min(Math.floor(tokenCount / contextTokens), maxChunks);
}

export function chunkAt(ids: Int32Array, index: number, { contextTokens, bos }: ChunkOptions): Chunk {
  const tokens = ids.subarray(index * contextTokens, (index + 1) * contextTokens);
  const inputs = Int32Array.from(tokens);
  if (bos !== undefined) inputs[0] = bos;
  const firstScored = Math.floor(contextTokens / 2);
  return { inputs, firstScored, targets: tokens.subarray(firstScored + 1) };
}
