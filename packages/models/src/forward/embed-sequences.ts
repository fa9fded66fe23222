// Vectors of texts: whole sequences, several in a batch, and what the network's pooling makes of them.
import { QuernError } from '@quern/errors';
import type { Model, TokenBatch } from './model.ts';

/** A text, or a pair of texts for a cross-encoder. */
export interface TextTokens {
  readonly tokens: Int32Array;
  /** Of a pair: where the tokens of the second text begin. */
  readonly secondFrom?: number;
}

/**
 * What `loadModel` must be given for batches of texts.
 * @param longest tokens of the longest text, and of all texts of a batch together
 * @param together texts of a batch, at most
 */
export function embeddingSizes(longest: number, together = 1, blockTokens = 32) {
  const blocks = Math.ceil(Math.max(1, longest) / blockTokens);
  return {
    ...{ batchTokens: Math.max(1, longest, together), blockTokens, maxSequences: together },
    sequenceCells: blocks * blockTokens,
    // The last block of each text may be filled in part.
    cells: (blocks + together) * blockTokens,
  };
}

/**
 * One vector for each of `sequences`, in their order, normalized if the network says so. Overwrites the model's cache.
 * @throws QuernError `embedding-empty` for a sequence without tokens, `context-exceeded` for one longer than the trained
 *   context (nothing is cut off), `embedding-non-finite`, `no-pooling`
 */
export async function* embedSequences(model: Model, sequences: readonly Int32Array[]): AsyncGenerator<Float32Array> {
  requireFitting(sequences, model.hyperparameters.contextLength);
  for (let first = 0; first < sequences.length; ) {
    const count = fitting(
      model,
      sequences.slice(first).map(({ length }) => length),
    );
    const texts = sequences.slice(first, first + count).map((tokens) => ({ tokens }));
    const vectors = await embedBatch(model, texts);
    for (const [i, vector] of vectors.entries()) {
      if (!vector.every(Number.isFinite)) throw notFiniteVector(first + i);
      yield model.pooling!.normalize ? normalized(vector) : vector;
    }
    first += count;
  }
}

/** How many of the next texts make one batch: at least one, whose length has been checked. */
export function fitting({ batchTokens, maxSequences }: Model, lengths: readonly number[]): number {
  let tokens = 0;
  let count = 0;
  for (const length of lengths) {
    if (count > 0 && (count === maxSequences || tokens + length > batchTokens)) break;
    tokens += length;
    count++;
  }
  return count;
}

/** The vectors of one batch, not yet normalized: what is not finite is the caller's to find. */
export async function embedBatch(model: Model, texts: readonly TextTokens[]): Promise<Float32Array[]> {
  const y = await model.embed(batchOf(texts, model));
  const all = new Float32Array((await model.device.read(y)).slice().buffer);
  const width = all.length / texts.length;
  return texts.map((_, s) => all.slice(s * width, (s + 1) * width));
}

export const notFiniteVector = (index: number): QuernError =>
  new QuernError('embedding-non-finite', `The vector of text ${index + 1} is NaN or infinite.`, {
    remedy: 'The weights may be damaged: check the model with quern eval or convert it again.',
  });

/** @throws QuernError `embedding-empty`, `context-exceeded` */
export function requireFitting(sequences: readonly Int32Array[], contextLength: number): void {
  for (const [index, ids] of sequences.entries()) checkLength(ids.length, index, contextLength);
}

/** Texts one behind the other, each in blocks of its own. */
function batchOf(texts: readonly TextTokens[], { tableWidth, blockTokens }: Model): TokenBatch {
  const total = texts.reduce((sum, { tokens }) => sum + tokens.length, 0);
  const batch = {
    tokens: new Int32Array(total),
    positions: new Int32Array(total),
    seqs: new Int32Array(total),
    kinds: new Int32Array(total),
    blockTable: new Int32Array(texts.length * tableWidth),
  };
  let at = 0;
  let block = 0;
  for (const [s, { tokens: ids, secondFrom = ids.length }] of texts.entries()) {
    batch.tokens.set(ids, at);
    for (let i = 0; i < ids.length; i++) batch.positions[at + i] = i;
    batch.seqs.fill(s, at, at + ids.length);
    batch.kinds.fill(1, at + secondFrom, at + ids.length);
    const blocks = Math.ceil(ids.length / blockTokens);
    for (let b = 0; b < blocks; b++) batch.blockTable[s * tableWidth + b] = block++;
    at += ids.length;
  }
  return batch;
}

function checkLength(tokens: number, index: number, context: number): void {
  if (tokens === 0)
    throw new QuernError(
      'embedding-empty',
      `Text ${index + 1} has no tokens, so there is nothing to make a vector of.`,
      {
        remedy: 'Leave it out.',
      },
    );
  if (tokens > context)
    throw new QuernError(
      'context-exceeded',
      `Text ${index + 1} has ${tokens} tokens, the model takes ${context}. Nothing was cut off.`,
      { remedy: 'Divide the text, and average or keep the vectors of its parts.' },
    );
}

/** Of length 1; a vector of zeros stays what it is. */
export function normalized(vector: Float32Array): Float32Array {
  const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
  return length === 0 ? vector : vector.map((value) => value / length);
}
