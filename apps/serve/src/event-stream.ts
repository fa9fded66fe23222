// A response that is written while it is made, in the form of its API.
import { type ApiError, toApiError } from './api-error.ts';
import type { StreamForm } from './stream-form.ts';

const pingMs = 30_000;

export interface StreamListener {
  /** Called once, however the stream ends. */
  ended(): void;
  failed?(error: ApiError): void;
}

/**
 * A response that writes each value of `chunks`. A failure after the headers are out is written too. A client that goes away ends `chunks` (its `return` is called); the work behind it must
 * also listen to the request's signal, because `return` waits for the step under way.
 */
export function streamResponse(
  chunks: AsyncGenerator<unknown>,
  form: StreamForm,
  { ended, failed }: StreamListener,
): Response {
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
      if (form.ping) ping = setInterval(() => controller.enqueue(encoder.encode(form.ping)), pingMs);
    },
    async pull(controller) {
      let text: string;
      let last = true;
      try {
        const { done, value } = await chunks.next();
        text = done ? form.end : form.write(value);
        last = done ?? false;
      } catch (error) {
        const failure = toApiError(error);
        if (open) failed?.(failure);
        text = form.failure(failure);
      }
      if (!open) return;
      if (text) controller.enqueue(encoder.encode(text));
      if (!last) return;
      end();
      controller.close();
    },
    async cancel() {
      end();
      await chunks.return(undefined);
    },
  });
  const headers = { 'content-type': form.contentType, 'cache-control': 'no-cache', 'x-accel-buffering': 'no' };
  return new Response(body, { headers });
}
