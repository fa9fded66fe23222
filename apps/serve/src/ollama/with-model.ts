// The model of a request of Ollama's: loaded if it is not, and kept as long as `keep_alive` says.
import type { Context } from 'hono';
import type { ServerState } from '../endpoint.ts';
import type { ModelLease } from '../models/model-host.ts';
import { withoutLatest } from './ollama-endpoint.ts';
import { keepMs } from './request-fields.ts';

export interface OllamaTurn {
  readonly lease: ModelLease;
  /** By `performance.now()`: when the request came, and when its model was there. */
  readonly startMs: { readonly request: number; readonly loaded: number };
}

export async function withOllamaModel(
  context: Context,
  server: ServerState,
  { model, keep_alive }: { model: string; keep_alive?: string | number | null },
  answer: (turn: OllamaTurn) => Promise<Response>,
): Promise<Response> {
  const request = performance.now();
  const lease = await server.models.acquire(withoutLatest(model), context.req.raw.signal, keepMs(keep_alive));
  try {
    return await answer({ lease, startMs: { request, loaded: performance.now() } });
  } finally {
    lease.release();
  }
}

/** A request without a text loads its model, or lets go of it. */
export const loadedReason = (keepAlive: string | number | null | undefined): 'load' | 'unload' =>
  keepMs(keepAlive) === 0 ? 'unload' : 'load';
