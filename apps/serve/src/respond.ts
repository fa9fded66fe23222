// A completion's way out: as events or as one document, inside the admission limit either way.
import { recordFailure, type ServerState } from './endpoint.ts';
import { eventStream } from './event-stream.ts';

export interface Answer {
  chunks(): AsyncGenerator<unknown>;
  whole(): Promise<unknown>;
}

/** @throws ApiError 503 when too many requests are inside */
export async function respond(server: ServerState, answer: Answer, stream: boolean): Promise<Response> {
  const leave = server.admission.enter();
  if (stream) return eventStream(answer.chunks(), { ended: leave, failed: (error) => recordFailure(server, error) });
  try {
    return Response.json(await answer.whole());
  } finally {
    leave();
  }
}
