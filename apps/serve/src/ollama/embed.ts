// POST /api/embed, and /api/embeddings of older clients: vectors of texts. Ollama cuts what is too long unless told otherwise; here nothing
// is ever cut, and a text that is too long is refused with both numbers.
import { z } from 'zod';
import { checkDimensions, firstDimensions } from '../embed/dimensions.ts';
import { embedTexts } from '../embed/embed-texts.ts';
import { readRequest } from '../generate/generation-request.ts';
import { anyObject } from '../large-shapes.ts';
import { respondWhole } from '../respond.ts';
import { ollamaEndpoint } from './ollama-endpoint.ts';
import { nanoseconds } from './reply-events.ts';
import { keepAliveField, modelField } from './request-fields.ts';
import { withOllamaModel } from './with-model.ts';

const options = anyObject.nullish();

const embedShape = z.looseObject({
  model: modelField,
  input: z.union([z.string(), z.array(z.string()).max(2048)]),
  truncate: z.boolean().nullish(),
  dimensions: z.int().min(1).nullish(),
  keep_alive: keepAliveField,
  options,
});

export const embed = ollamaEndpoint('POST', '/api/embed', async (context, server) => {
  const request = await readRequest(context, embedShape);
  return withOllamaModel(context, server, request, ({ lease: { model }, startMs }) => {
    checkDimensions(model, request.dimensions);
    return respondWhole(server, async () => {
      const texts = typeof request.input === 'string' ? [request.input] : request.input;
      const { vectors, promptTokens } =
        texts.length === 0
          ? { vectors: [], promptTokens: 0 }
          : await embedTexts(model, texts, 'input', context.req.raw.signal, true);
      return {
        model: model.id,
        embeddings: vectors.map((vector) => Array.from(firstDimensions(vector, request.dimensions ?? vector.length))),
        total_duration: nanoseconds(performance.now() - startMs.request),
        load_duration: nanoseconds(startMs.loaded - startMs.request),
        prompt_eval_count: promptTokens,
      };
    });
  });
});

const embeddingsShape = z.looseObject({ model: modelField, prompt: z.string(), keep_alive: keepAliveField, options });

export const embeddings = ollamaEndpoint('POST', '/api/embeddings', async (context, server) => {
  const request = await readRequest(context, embeddingsShape);
  return withOllamaModel(context, server, request, ({ lease: { model } }) =>
    respondWhole(server, async () => {
      const { vectors } = await embedTexts(model, [request.prompt], 'prompt', context.req.raw.signal, true);
      return { embedding: Array.from(vectors[0]!) };
    }),
  );
});
