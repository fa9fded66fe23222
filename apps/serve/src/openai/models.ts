// GET /v1/models and /v1/models/{id}: what is served. `meta` carries what agents need to plan: the context length.
import { type Endpoint, withModel } from '../endpoint.ts';
import type { ServedModel } from '../models/served-model.ts';

const describe = ({ id, createdSeconds, contextTokens, description }: ServedModel) => ({
  id,
  object: 'model',
  created: createdSeconds,
  owned_by: 'quern',
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
  handle(context, server) {
    return withModel(context, server, undefined, ({ model }) =>
      context.json({ object: 'list', data: [describe(model)] }),
    );
  },
};

export const model: Endpoint = {
  method: 'GET',
  path: '/v1/models/:id{.+}',
  aliases: ['/models/:id{.+}'],
  handle(context, server) {
    return withModel(context, server, context.req.param('id'), ({ model }) => context.json(describe(model)));
  },
};
