// Server-sent events as OpenAI's clients read them: `data: <json>\n\n` per chunk, `data: [DONE]\n\n` at the end.
import { type ApiError, toApiError } from './api-error.ts';

/** Proxies cut silent connections; a comment line keeps them open and is ignored by every client. */
const pingMs = 30_000;

export interface StreamListener {
  /** Called once, however the stream ends. */
  ended(): void;
  failed?(error: ApiError): void;
}

/**
 * A response that sends each value of `chunks` as one event. A failure after the headers are out becomes an `error`
 * event: the SDKs throw on it. A client that goes away ends `chunks` (its `return` is called); the work behind it must
 * also listen to the request's signal, because `return` waits for the step under way.
 */
export function eventStream(chunks: AsyncGenerator<unknown>, { ended, failed }: StreamListener): Response {
  const encoder = new TextEncoder();
  let ping: NodeJS.Timeout | undefined;
  let open = true;
  const end = (): void => {
    if (open) ended();
    open = false;
    clearInterval(ping);
  };
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      ping = setInterval(() => controller.enqueue(encoder.encode(': ping\n\n')), pingMs);
    },
    async pull(controller) {
      let event: string;
      let last = true;
      try {
        const { done, value } = await chunks.next();
        event = done ? '[DONE]' : JSON.stringify(value);
        last = done ?? false;
      } catch (error) {
        const failure = toApiError(error);
        if (open) failed?.(failure);
        event = JSON.stringify(failure.body());
      }
      if (!open) return;
      controller.enqueue(encoder.encode(`data: ${event}\n\n`));
      if (!last) return;
      end();
      controller.close();
    },
    async cancel() {
      end();
      await chunks.return(undefined);
    },
  });
  const headers = { 'content-type': 'text/event-stream', 'cache-control': 'no-cache', 'x-accel-buffering': 'no' };
  return new Response(body, { headers });
}
