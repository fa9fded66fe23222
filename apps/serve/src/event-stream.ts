// A response that is written while it is made, in the form of its API.
import { type ApiError, toApiError } from './api-error.ts';
import { stopped } from './http/shutdown.ts';
import { StreamedResponse } from './http/streamed-response.ts';
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
): StreamedResponse {
  return new StreamedResponse(form.contentType, async (writer) => {
    let open = true;
    // One who does not read needs none.
    const sendPing = (): void => void (writer.hasRoom && writer.write(form.ping));
    const ping = form.ping ? setInterval(sendPing, pingMs) : undefined;
    const close = (): void => {
      if (open) ended();
      open = false;
      clearInterval(ping);
      stopping.removeEventListener('abort', stop);
    };
    const end = (last: string): void => {
      if (last) writer.write(last);
      writer.end();
      close();
    };
    const stop = (): void => end(form.failure(stopped()));
    stopping.addEventListener('abort', stop);
    writer.onceClosed(close);
    try {
      while (open) {
        const { done, value } = await chunks.next();
        if (!open) break;
        if (done) return end(form.end);
        const text = form.write(value);
        if (text && !writer.write(text)) await writer.room();
      }
      await chunks.return(undefined);
    } catch (error) {
      if (!open) return;
      const failure = toApiError(error);
      failed?.(failure);
      end(form.failure(failure));
    }
  });
}
