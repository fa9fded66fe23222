// GET /v1/models and /v1/models/{id}: what can be asked for, loaded or not. `meta` carries what agents need to plan: the context
// length; `status` is what llama-server's router says of a model.
import type { Endpoint } from '../endpoint.ts';
import type { OfferedModel } from '../models/model-host.ts';
import { madeMs, offeredModel, offeredModels } from '../models/offered-models.ts';
import type { ServedModel } from '../models/served-model.ts';

const describe = (offered: OfferedModel) => ({
  id: offered.id,
  object: 'model',
  created: Math.floor(madeMs(offered) / 1000),
  owned_by: 'quern',
  ...(offered.aliases.length > 0 && { aliases: offered.aliases }),
  status: statusOf(offered),
  ...(offered.model && factsOf(offered.model)),
});

const statusOf = ({ status, progress, failure, bytes, expiresMs }: OfferedModel) => ({
  value: status,
  ...(progress && { progress: progress.total === 0 ? 0 : progress.done / progress.total }),
  ...(failure && { failed: true, error: { code: failure.code, message: failure.message } }),
  ...(bytes !== undefined && { bytes }),
  ...(expiresMs !== undefined && { expires_at: new Date(expiresMs).toISOString() }),
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
