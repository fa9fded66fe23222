// A completion's way out: as a stream or as one document, inside the admission limit either way.
import type { ApiError } from './api-error.ts';
import { recordFailure, type ServerState } from './endpoint.ts';
import { streamResponse } from './event-stream.ts';
import type { ModelLease } from './models/model-host.ts';
import type { StreamForm } from './stream-form.ts';

export interface Answer {
  chunks(): AsyncGenerator<unknown>;
  whole(): Promise<unknown>;
}

/**
 * @param form how to stream; undefined: one document
 * @throws ApiError 503 when too many requests are inside
 */
export async function respond(
  server: ServerState,
  lease: ModelLease,
  answer: Answer,
  form: StreamForm | undefined,
): Promise<Response> {
  if (!form) return respondWhole(server, answer.whole);
  const leave = server.admission.enter();
  const held = lease.share();
  const ended = (): void => {
    leave();
    held.release();
  };
  const failed = (error: ApiError): void => recordFailure(server, error);
  return streamResponse(answer.chunks(), form, { ended, failed, stopping: server.stopping });
}

/** The same for what is never streamed. */
export async function respondWhole(server: ServerState, whole: () => Promise<unknown>): Promise<Response> {
  const leave = server.admission.enter();
  return Response.json(await whole().finally(leave));
}
