// POST /v1/embeddings: vectors of texts, as numbers or as base64 of little-endian F32. `dimensions` keeps the first so many
// numbers (embed/dimensions.ts).
import { z } from 'zod';
import { checkDimensions, firstDimensions } from '../embed/dimensions.ts';
import { type Embedded, embedTexts, textsShape } from '../embed/embed-texts.ts';
import { refusedFields } from '../embed/refused-fields.ts';
import { type Endpoint, withModel } from '../endpoint.ts';
import { readRequest } from '../generate/generation-request.ts';
import type { ServedModel } from '../models/served-model.ts';
import { respondWhole } from '../respond.ts';
import { responseId } from './response-fields.ts';

const embeddingsShape = z.looseObject({
  model: z.string().nullish(),
  input: textsShape,
  encoding_format: z.enum(['float', 'base64']).nullish(),
  dimensions: z.int().min(1).nullish(),
  user: z.string().nullish(),
});
type EmbeddingsRequest = z.infer<typeof embeddingsShape>;

export const embeddings: Endpoint = {
  method: 'POST',
  path: '/v1/embeddings',
  async handle(context, server) {
    const request = await readRequest(context, embeddingsShape, refusedFields);
    return withModel(context, server, request.model, (lease) => {
      checkDimensions(lease.model, request.dimensions);
      const whole = async () =>
        answerOf(lease.model, request, await embedTexts(lease.model, request.input, 'input', context.req.raw.signal));
      return respondWhole(server, whole);
    });
  },
};

function answerOf({ id }: ServedModel, request: EmbeddingsRequest, { vectors, promptTokens }: Embedded): object {
  const { encoding_format: format, dimensions } = request;
  return {
    // vLLM has it, and clients of Mistral's need it.
    id: responseId('embd'),
    object: 'list',
    data: vectors.map((vector, index) => {
      const wanted = dimensions && dimensions < vector.length ? firstDimensions(vector, dimensions) : vector;
      return { object: 'embedding', index, embedding: format === 'base64' ? base64Of(wanted) : Array.from(wanted) };
    }),
    model: id,
    usage: { prompt_tokens: promptTokens, total_tokens: promptTokens },
  };
}

function base64Of(vector: Float32Array): string {
  const bytes = Buffer.alloc(4 * vector.length);
  for (const [i, value] of vector.entries()) bytes.writeFloatLE(value, 4 * i);
  return bytes.toString('base64');
}
