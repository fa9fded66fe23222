// Token ids that a client names. The engine's lists have 32 bits: an id beyond them would be another one there.
import { ApiError } from '../api-error.ts';
import type { ServedModel } from '../models/served-model.ts';

/**
 * @param param the field that has them
 * @throws ApiError 400 for one that the vocabulary does not have
 */
export function requireTokens(ids: readonly number[], { tokenizer: { vocabSize } }: ServedModel, param: string): void {
  const unknown = ids.find((id) => id >= vocabSize);
  if (unknown === undefined) return;
  const message = `${param} has token ${unknown}, but the vocabulary has ${vocabSize} tokens.`;
  throw new ApiError(400, 'invalid_value', message, { param });
}
