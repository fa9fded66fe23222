// Vectors of texts: sequences in batches, each whole, and what the network's pooling makes of them.
import { QuernError } from '@quern/errors';
import type { Model, TokenBatch } from './model.ts';

/** What `loadModel` must be given so that the longest of some texts fits. */
export function embeddingSizes(lengths: readonly number[], blockTokens = 32) {
  const longest = Math.max(1, ...lengths);
  return { batchTokens: longest, cells: Math.ceil(longest / blockTokens) * blockTokens, blockTokens, maxSequences: 1 };
}

/**
 * One vector for each of `sequences`, normalized if the network says so. Overwrites the model's cache.
 * @throws QuernError `embedding-empty` for a sequence without tokens, `context-exceeded` for one longer than the trained
 *   context (nothing is cut off), `embedding-non-finite`, `no-pooling`
 */
export async function* embedSequences(model: Model, sequences: readonly Int32Array[]): AsyncGenerator<Float32Array> {
  requireFitting(sequences, model.hyperparameters.contextLength);
  for (const [index, ids] of sequences.entries()) {
    const y = await model.embed(wholeSequence(ids, model.tableWidth));
    const bytes = (await model.device.read(y)).slice();
    const vector = new Float32Array(bytes.buffer);
    if (!vector.every(Number.isFinite))
      throw new QuernError('embedding-non-finite', `The vector of text ${index + 1} is NaN or infinite.`, {
        remedy: 'The weights may be damaged: check the model with quern eval or convert it again.',
      });
    yield model.pooling!.normalize ? normalized(vector) : vector;
  }
}

/** @throws QuernError `embedding-empty`, `context-exceeded` */
export function requireFitting(sequences: readonly Int32Array[], contextLength: number): void {
  for (const [index, ids] of sequences.entries()) checkLength(ids.length, index, contextLength);
}

const wholeSequence = (tokens: Int32Array, tableWidth: number): TokenBatch => ({
  tokens,
  positions: tokens.map((_, position) => position),
  seqs: new Int32Array(tokens.length),
  blockTable: Int32Array.from({ length: tableWidth }, (_, block) => block),
});

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
function normalized(vector: Float32Array): Float32Array {
  const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
  return length === 0 ? vector : vector.map((value) => value / length);
}
