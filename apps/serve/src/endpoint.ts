// What an endpoint is, and the state that endpoints share.
import type { Context } from 'hono';
import type { Admission } from './admission.ts';
import { ApiError } from './api-error.ts';
import type { GenerationRecord } from './generation.ts';
import type { ServedModel } from './served-model.ts';

export interface ServerState {
  /** Undefined while it loads: the server listens first, so that probes see 503 and not a refused connection. */
  model: ServedModel | undefined;
  readonly admission: Admission;
  readonly apiKey?: string;
  readonly maxBodyBytes: number;
  /** Told how every generation ended, and about every failure that is the server's own: what the log shows. */
  readonly onGeneration?: (record: GenerationRecord) => void;
  readonly onFailure?: (error: ApiError) => void;
  /** Why the engine cannot answer any more, once it cannot. */
  engineFailure?: ApiError;
}

/** Called for every failure that was not the client's. */
export function recordFailure(server: ServerState, error: ApiError): void {
  if (error.status !== 500) return;
  if (error.code.startsWith('engine-')) server.engineFailure ??= error;
  server.onFailure?.(error);
}

export interface Endpoint {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** Reachable without the API key. */
  readonly open?: true;
  handle(context: Context, server: ServerState): Response | Promise<Response>;
}

/** @throws ApiError 503 `model_loading` until the model is ready */
export function readyModel(server: ServerState): ServedModel {
  if (server.model) return server.model;
  throw new ApiError(503, 'model_loading', 'The model is still loading.', { headers: { 'retry-after': '1' } });
}

/** @throws ApiError 404 `model_not_found` when the request names a model that is not the served one */
export function requestedModel(server: ServerState, name: string | null | undefined): ServedModel {
  const model = readyModel(server);
  if (name && name !== model.id) {
    const message = `The model "${name}" is not served here; this server has "${model.id}".`;
    throw new ApiError(404, 'model_not_found', message, { param: 'model' });
  }
  return model;
}
