// GET /health: 200 when requests can be answered; 503 while the model loads and after the engine has failed (what load
// balancers and orchestrators poll). It also says what the KV cache is.
import { ApiError } from '../api-error.ts';
import { type Endpoint, readyModel } from '../endpoint.ts';

export const health: Endpoint = {
  method: 'GET',
  path: '/health',
  open: true,
  handle(context, server) {
    const { cacheTokens, cacheTypes, memory } = readyModel(server).engine.info;
    if (server.engineFailure) throw new ApiError(503, server.engineFailure.code, server.engineFailure.message);
    const { k, v } = cacheTypes;
    return context.json({ status: 'ok', cache: { tokens: cacheTokens, type_k: k, type_v: v, bytes: memory.kvBytes } });
  },
};
