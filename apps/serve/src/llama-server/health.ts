// GET /health: 200 when requests can be answered; 503 while the only model loads, for the first time or after its engine has failed (what load
// balancers and orchestrators poll), and while its engine gives no answer. Each engine's thread itself is asked, and has a few seconds, so a server
// whose engine hangs is not healthy. It also says what the KV cache is and what is kept of earlier requests. Of several models it says
// how each is; `?model=` asks for one.
import type { Engine } from '@quern/engine';
import { ApiError, toApiError } from '../api-error.ts';
import { type Endpoint, type ServerState, withLoadedModel } from '../endpoint.ts';

export const health: Endpoint = {
  method: 'GET',
  path: '/health',
  aliases: ['/v1/health'],
  open: true,
  handle(context, server) {
    if (!server.models.isSingle && context.req.query('model') === undefined) return healthOfAll(server);
    return withLoadedModel(context, server, async ({ model: { engine } }) =>
      context.json({ status: 'ok', ...(await healthOf(engine)) }),
    );
  },
};

/** One engine that ended is no fault of the server: the next request loads its model again. */
async function healthOfAll({ models }: ServerState): Promise<Response> {
  const all = models.offered().map(async ({ id, status, model }) => ({
    id,
    status,
    ...(model && (await healthOf(model.engine).catch(unwell))),
  }));
  return Response.json({ status: 'ok', models: await Promise.all(all) });
}

/** Of one among others. */
const unwell = ({ code, message }: ApiError): object => ({
  status: code === 'engine-not-answering' ? 'not_answering' : 'failed',
  error: { code, message },
});

/** @throws ApiError 503 */
async function healthOf(engine: Engine): Promise<object> {
  const { cacheTokens, cacheTypes, memory } = engine.info;
  const { blocks, kept } = await engine.stats().catch((error: unknown) => {
    const { code, message, headers } = toApiError(error);
    throw new ApiError(503, code, message, { headers });
  });
  const { k, v } = cacheTypes;
  return {
    cache: {
      ...{ tokens: cacheTokens, type_k: k, type_v: v, bytes: memory.kvBytes },
      blocks: { total: blocks.total, used: blocks.used, peak: blocks.peakUsed },
    },
    prefix_cache: {
      ...{ bytes: kept.bytes, budget_bytes: kept.budgetBytes },
      ...{ blocks: kept.deviceBlocks, moved_blocks: kept.hostBlocks, snapshots: kept.snapshots },
    },
  };
}
