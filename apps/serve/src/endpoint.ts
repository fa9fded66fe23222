// What an endpoint is, and the state that endpoints share.
import type { Context } from 'hono';
import type { Admission } from './admission.ts';
import type { ApiError } from './api-error.ts';
import type { GenerationRecord } from './generate/generation.ts';
import { modelToLoad, replyWhileLoading } from './models/load-progress.ts';
import type { ModelHost, ModelLease } from './models/model-host.ts';
import type { ModelShelf } from './models/model-shelf.ts';
import type { ResponseStore } from './openai/responses/response-store.ts';
import type { StreamForm } from './stream-form.ts';

export interface ServerState {
  readonly models: ModelHost;
  /** Undefined: clients add, name and take away no models. */
  readonly shelf?: ModelShelf;
  readonly admission: Admission;
  /** Aborted when no new requests are answered any more. */
  readonly closing: AbortSignal;
  /** Aborted when those that run have to end. */
  readonly stopping: AbortSignal;
  /** Those that clients may come back to by their ids. */
  readonly responses: ResponseStore;
  /** Told how every generation ended, and for which request; and about every failure that is the server's own: what the log shows. */
  readonly onGeneration?: (record: GenerationRecord, signal: AbortSignal) => void;
  readonly onFailure?: (error: ApiError) => void;
}

/** Called for every failure that was not the client's. */
export function recordFailure(server: ServerState, error: ApiError): void {
  if (error.status === 500) server.onFailure?.(error);
}

export interface Endpoint {
  readonly method: 'GET' | 'POST' | 'DELETE' | 'HEAD';
  readonly path: string;
  /** Further paths of the same. */
  readonly aliases?: readonly string[];
  /** Of whom it is asked, where the endpoint of another API has the same path and stands behind it in the table. Default: of all. */
  readonly answers?: (headers: Headers) => boolean;
  /** Reachable without the API key. */
  readonly open?: true;
  /** It takes the body in as it comes, whatever its size: the limits of bodies are not for it. */
  readonly streamsBody?: true;
  /** The header in which each of its answers, failures too, has an id of the request, and what makes one. */
  readonly requestId?: { readonly header: string; readonly make: () => string };
  /** How its API words a failure. Default: OpenAI's. */
  readonly errorBody?: (error: ApiError) => object;
  handle(context: Context, server: ServerState): Response | Promise<Response>;
}

/**
 * Answers with a model that stays loaded until the endpoint has returned; `respond` holds it for as long as a stream runs.
 * @param form of a reply that is streamed: then one that waits for its model begins at once, and tells how far the loading is
 * @throws what `ModelHost.acquire` throws
 */
export async function withModel(
  context: Context,
  server: ServerState,
  name: string | null | undefined,
  answer: (lease: ModelLease) => Response | Promise<Response>,
  form?: StreamForm,
): Promise<Response> {
  const { signal } = context.req.raw;
  const { models } = server;
  if (form && name && modelToLoad(server, name)) {
    const failed = (error: ApiError): void => recordFailure(server, error);
    return replyWhileLoading({ models, name, form, signal, answer, failed });
  }
  const lease = await models.acquire(name, signal);
  try {
    return await answer(lease);
  } finally {
    lease.release();
  }
}

/**
 * Answers about a model that is loaded, as its query names it (`?model=`): nothing is loaded for it.
 * @throws what `ModelHost.peek` throws
 */
export async function withLoadedModel(
  context: Context,
  server: ServerState,
  answer: (lease: ModelLease) => Response | Promise<Response>,
): Promise<Response> {
  const lease = server.models.peek(context.req.query('model'));
  try {
    return await answer(lease);
  } finally {
    lease.release();
  }
}
