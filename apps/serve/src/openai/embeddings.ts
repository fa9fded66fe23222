// POST /v1/embeddings: vectors of texts, as numbers or as base64 of little-endian F32. `dimensions` keeps the first so many
// numbers and brings the rest to length 1 again, which is what models trained for it (Matryoshka) expect.
import { z } from 'zod';
import { ApiError } from '../api-error.ts';
import { type Embedded, embedTexts, requireEmbeddings, textsShape } from '../embed/embed-texts.ts';
import { type Endpoint, withModel } from '../endpoint.ts';
import { readRequest } from '../generate/generation-request.ts';
import type { ServedModel } from '../models/served-model.ts';
import { respondWhole } from '../respond.ts';

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
    const request = await readRequest(context, embeddingsShape);
    return withModel(context, server, request.model, (lease) => {
      checkDimensions(lease.model, request.dimensions ?? undefined);
      const whole = async () =>
        answerOf(lease.model, request, await embedTexts(lease.model, request.input, 'input', context.req.raw.signal));
      return respondWhole(server, whole);
    });
  },
};

function checkDimensions(model: ServedModel, dimensions: number | undefined): void {
  requireEmbeddings(model);
  const { width } = model.engine.info.embeddings!;
  if (dimensions === undefined || dimensions <= width) return;
  const message = `dimensions: ${dimensions} were asked for; the vectors of "${model.id}" have ${width}.`;
  throw new ApiError(400, 'invalid_value', message, { param: 'dimensions' });
}

function answerOf({ id }: ServedModel, request: EmbeddingsRequest, { vectors, promptTokens }: Embedded): object {
  const { encoding_format: format, dimensions } = request;
  return {
    object: 'list',
    data: vectors.map((vector, index) => {
      const wanted = dimensions && dimensions < vector.length ? shortened(vector, dimensions) : vector;
      return { object: 'embedding', index, embedding: format === 'base64' ? base64Of(wanted) : Array.from(wanted) };
    }),
    model: id,
    usage: { prompt_tokens: promptTokens, total_tokens: promptTokens },
  };
}

/** The first numbers, of length 1 again; zeros stay what they are. */
function shortened(vector: Float32Array, dimensions: number): Float32Array {
  const first = vector.subarray(0, dimensions);
  const length = Math.sqrt(first.reduce((sum, value) => sum + value * value, 0));
  return length === 0 ? first : first.map((value) => value / length);
}

function base64Of(vector: Float32Array): string {
  const bytes = Buffer.alloc(4 * vector.length);
  for (const [i, value] of vector.entries()) bytes.writeFloatLE(value, 4 * i);
  return bytes.toString('base64');
}
