// POST /embedding: llama-server's own form of vectors. `embd_normalize` is the norm that divides them: 2 the Euclidean (as the
// model wants it anyway), -1 none, 0 the greatest magnitude as 32760, p > 2 the p-norm.
import { z } from 'zod';
import { ApiError } from '../api-error.ts';
import { embedTexts, textsShape } from '../embed/embed-texts.ts';
import { refusedFields } from '../embed/refused-fields.ts';
import { type Endpoint, withModel } from '../endpoint.ts';
import { readRequest } from '../generate/generation-request.ts';
import { respondWhole } from '../respond.ts';

const embeddingShape = z.looseObject({
  model: z.string().nullish(),
  content: textsShape.optional(),
  /** OpenAI's name of it, which llama-server takes too. */
  input: textsShape.optional(),
  embd_normalize: z.int().min(-1).max(64).nullish(),
});

export const embedding: Endpoint = {
  method: 'POST',
  path: '/embedding',
  aliases: ['/embeddings'],
  async handle(context, server) {
    const request = await readRequest(context, embeddingShape, refusedFields);
    const texts = request.content ?? request.input;
    if (texts === undefined)
      throw new ApiError(400, 'invalid_value', 'content: a text, or a list of texts, is needed.', { param: 'content' });
    return withModel(context, server, request.model, (lease) => {
      const whole = async () => {
        const { vectors } = await embedTexts(lease.model, texts, 'content', context.req.raw.signal, true);
        const norm = request.embd_normalize ?? 2;
        return vectors.map((vector, index) => ({ index, embedding: [Array.from(normalizedBy(vector, norm))] }));
      };
      return respondWhole(server, whole);
    });
  },
};

/** llama.cpp's common_embd_normalize. */
function normalizedBy(vector: Float32Array, norm: number): Float32Array {
  if (norm < 0) return vector;
  const divisor =
    norm === 0
      ? vector.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / 32760
      : vector.reduce((sum, value) => sum + Math.abs(value) ** norm, 0) ** (1 / norm);
  return divisor === 0 ? vector : vector.map((value) => value / divisor);
}
