// The first so many numbers of vectors, of length 1 again: what models trained for it (Matryoshka) expect.
import { normalized } from '@quern/models';
import { ApiError } from '../api-error.ts';
import type { ServedModel } from '../models/served-model.ts';
import { requireEmbeddings } from './embed-texts.ts';

/** @throws ApiError 400 `not_an_embedding_model`, `invalid_value` for more than the vectors have */
export function checkDimensions(model: ServedModel, dimensions: number | null | undefined): void {
  requireEmbeddings(model);
  const { width } = model.engine.info.embeddings!;
  if (!dimensions || dimensions <= width) return;
  const message = `dimensions: ${dimensions} were asked for; the vectors of "${model.id}" have ${width}.`;
  throw new ApiError(400, 'invalid_value', message, { param: 'dimensions' });
}

/** Zeros stay what they are. */
export const firstDimensions = (vector: Float32Array, dimensions: number): Float32Array =>
  normalized(vector.subarray(0, dimensions));
