// A response that is written while it is made, in the form of its API.
import { type ApiError, toApiError } from './api-error.ts';
import { stopped } from './http/shutdown.ts';
import type { StreamForm } from './stream-form.ts';

const pingMs = 30_000;

export interface StreamListener {
  /** Called once, however the stream ends. */
  ended(): void;
  failed?(error: ApiError): void;
  /** Ends it with an error when the server has to go. */
  readonly stopping: AbortSignal;
}

/**
 * A response that writes each value of `chunks`, no faster than it is read. A failure after the headers are out is written too. A client that
 * goes away ends `chunks` (its `return` is called); the work behind it must also listen to the request's signal, because `return` waits
 * for the step under way.
 */
export function streamResponse(
  chunks: AsyncGenerator<unknown>,
  form: StreamForm,
  { ended, failed, stopping }: StreamListener,
): Response {
  const encoder = new TextEncoder();
  let ping: NodeJS.Timeout | undefined;
  let open = true;
  let stop = (): void => {};
  const end = (): void => {
    if (open) ended();
    open = false;
    clearInterval(ping);
    stopping.removeEventListener('abort', stop);
  };
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      const sendPing = (): void => {
        // One who does not read needs none.
        if ((controller.desiredSize ?? 0) > 0) controller.enqueue(encoder.encode(form.ping));
      };
      if (form.ping) ping = setInterval(sendPing, pingMs);
      stop = () => {
        controller.enqueue(encoder.encode(form.failure(stopped())));
        end();
        controller.close();
        void chunks.return(undefined);
      };
      stopping.addEventListener('abort', stop);
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
