// The logits of every position of one text: what `quern logits` writes and what comparisons of engines read.
import { QuernError } from '@quern/errors';
import type { Model } from './model.ts';

export interface LogitRows {
  /** Position of the first row. */
  readonly first: number;
  /** [rows, vocab] */
  readonly logits: Float32Array;
}

/**
 * Computes `ids` as one sequence from position 0, in batches of the model's size. Overwrites the model's cache.
 * @throws QuernError `prompt-too-long` when the cache has fewer cells than there are ids
 */
export async function* sequenceLogits(model: Model, ids: Int32Array): AsyncGenerator<LogitRows> {
  const cells = model.blocks * model.blockTokens;
  if (ids.length > cells)
    throw new QuernError('prompt-too-long', `${ids.length} tokens do not fit into a cache of ${cells} tokens.`);
  const blockTable = Int32Array.from({ length: model.tableWidth }, (_, block) => block);
  const step = Math.min(model.batchTokens, model.maxOutputs);
  for (let first = 0; first < ids.length; first += step) {
    const tokens = ids.subarray(first, first + step);
    const outputRows = Int32Array.from(tokens, (_, row) => row);
    const positions = outputRows.map((row) => first + row);
    const seqs = new Int32Array(tokens.length);
    const logits = await model.forward({ tokens, positions, seqs, blockTable, outputRows });
    const bytes = await model.device.read(logits);
    yield { first, logits: new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4) };
  }
}
