// GET /health: 200 when requests can be answered; 503 while the model loads and after the engine has failed (what load
// balancers and orchestrators poll). The engine's thread itself answers, so a server whose engine hangs is not healthy. It also
// says what the KV cache is and what is kept of earlier requests.
import { ApiError, toApiError } from '../api-error.ts';
import { type Endpoint, withModel } from '../endpoint.ts';

export const health: Endpoint = {
  method: 'GET',
  path: '/health',
  aliases: ['/v1/health'],
  open: true,
  handle: (context, server) =>
    withModel(context, server, undefined, async ({ model: { engine } }) => {
      const { cacheTokens, cacheTypes, memory } = engine.info;
      if (server.engineFailure) throw new ApiError(503, server.engineFailure.code, server.engineFailure.message);
      const { blocks, kept } = await engine.stats().catch((error: unknown) => {
        const { code, message } = toApiError(error);
        throw new ApiError(503, code, message);
      });
      const { k, v } = cacheTypes;
      return context.json({
        status: 'ok',
        cache: {
          ...{ tokens: cacheTokens, type_k: k, type_v: v, bytes: memory.kvBytes },
          blocks: { total: blocks.total, used: blocks.used, peak: blocks.peakUsed },
        },
        prefix_cache: {
          ...{ bytes: kept.bytes, budget_bytes: kept.budgetBytes },
          ...{ blocks: kept.deviceBlocks, moved_blocks: kept.hostBlocks, snapshots: kept.snapshots },
        },
      });
    }),
};
