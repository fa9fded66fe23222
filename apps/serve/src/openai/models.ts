// GET /v1/models and /v1/models/{id}: what can be asked for, loaded or not. `meta` carries what agents need to plan: the context
// length; `status` is what llama-server's router says of a model.
import type { Endpoint } from '../endpoint.ts';
import type { OfferedModel } from '../models/model-host.ts';
import { offeredModel, offeredModels } from '../models/offered-models.ts';
import type { ServedModel } from '../models/served-model.ts';

const describe = ({ id, aliases, status, progress, failure, model, bytes, expiresMs }: OfferedModel) => ({
  id,
  object: 'model',
  created: model?.createdSeconds ?? 0,
  owned_by: 'quern',
  ...(aliases.length > 0 && { aliases }),
  status: {
    value: status,
    ...(progress && { progress: progress.total === 0 ? 0 : progress.done / progress.total }),
    ...(failure && { failed: true, error: { code: failure.code, message: failure.message } }),
    ...(bytes !== undefined && { bytes }),
    ...(expiresMs !== undefined && { expires_at: new Date(expiresMs).toISOString() }),
  },
  ...(model && factsOf(model)),
});

const factsOf = ({ contextTokens, description }: ServedModel) => ({
  // vLLM's name of it, which several agents read.
  max_model_len: contextTokens,
  // llama-server's names.
  meta: {
    n_ctx: contextTokens,
    n_ctx_train: description.hyperparameters.contextLength,
    n_vocab: description.hyperparameters.vocabSize,
    n_embd: description.hyperparameters.embeddingLength,
    n_params: description.parameters,
    size: description.dataBytes,
  },
});

export const models: Endpoint = {
  method: 'GET',
  path: '/v1/models',
  aliases: ['/models'],
  handle: async (context, server) =>
    context.json({ object: 'list', data: (await offeredModels(server)).map(describe) }),
};

export const model: Endpoint = {
  method: 'GET',
  path: '/v1/models/:id{.+}',
  aliases: ['/models/:id{.+}'],
  handle: async (context, server) => context.json(describe(await offeredModel(server, context.req.param('id') ?? ''))),
};
