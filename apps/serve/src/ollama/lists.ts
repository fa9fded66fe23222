// GET /api/tags, /api/ps, /api/version and POST /api/show: which models there are and what they are.
import { z } from 'zod';
import { modelfileText, parameterLines } from '../created/modelfile-text.ts';
import { readRequest } from '../generate/generation-request.ts';
import { capabilitiesOf, detailsOf, rowOf } from './details.ts';
import { ollamaEndpoint } from './ollama-endpoint.ts';
import { namedFields, nameOf } from './request-fields.ts';
import { withOllamaModel } from './with-model.ts';

export const tags = ollamaEndpoint('GET', '/api/tags', async (_context, server) => {
  await server.models.refresh();
  return Response.json({ models: server.models.offered().map(rowOf) });
});

/** Far away: Ollama's clients take it for "until told". */
const never = '2318-01-01T00:00:00.000Z';

export const running = ollamaEndpoint('GET', '/api/ps', (_context, server) => {
  const loaded = server.models.offered().filter(({ status }) => status === 'loaded');
  const models = loaded.map((offered) => ({
    ...rowOf(offered),
    size: offered.bytes ?? 0,
    expires_at: offered.expiresMs === undefined ? never : new Date(offered.expiresMs).toISOString(),
    size_vram: 0,
    context_length: offered.model?.contextTokens ?? 0,
  }));
  return Response.json({ models });
});

/** The level of Ollama's API that is spoken here: clients look for what they need at least. */
const apiLevel = '0.12.6';

export const version = ollamaEndpoint('GET', '/api/version', () =>
  Response.json({ version: apiLevel, server: 'quern' }),
);

const showShape = z.looseObject({ ...namedFields, verbose: z.boolean().nullish() });

export const show = ollamaEndpoint('POST', '/api/show', async (context, server) => {
  const name = nameOf(await readRequest(context, showShape));
  return withOllamaModel(context, server, { model: name }, async ({ lease: { model } }) => {
    const { architecture, hyperparameters: numbers, parameters } = model.description;
    const created = model.created?.model;
    const template = model.chat.isGuess ? undefined : model.chat.template;
    return Response.json({
      modelfile: modelfileText(model.id, template, created),
      parameters: parameterLines(created?.parameters ?? {}).join('\n'),
      license: created?.license.join('\n') ?? '',
      template: template ?? '',
      system: created?.system ?? '',
      messages: created?.messages ?? [],
      details: detailsOf(model),
      model_info: {
        'general.architecture': architecture,
        'general.parameter_count': parameters,
        [`${architecture}.block_count`]: numbers.blockCount,
        [`${architecture}.context_length`]: numbers.contextLength,
        [`${architecture}.embedding_length`]: numbers.embeddingLength,
        [`${architecture}.vocab_size`]: numbers.vocabSize,
      },
      capabilities: capabilitiesOf(model),
      modified_at: new Date(model.createdSeconds * 1000).toISOString(),
    });
  });
});
