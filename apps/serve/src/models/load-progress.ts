// A streamed reply by a model that is not loaded yet: the response begins at once, and comments, which every client passes over,
// tell how far the loading is. What goes wrong from here on is told in the stream, since its headers are out.
import { type ApiError, toApiError } from '../api-error.ts';
import { StreamedResponse } from '../http/streamed-response.ts';
import type { StreamForm } from '../stream-form.ts';
import type { ModelHost, ModelLease, OfferedModel } from './model-host.ts';

const tellMs = 500;

export interface LoadingReply {
  readonly models: ModelHost;
  readonly name: string;
  readonly form: StreamForm;
  readonly signal: AbortSignal;
  /** A streamed one. */
  answer(lease: ModelLease): Response | Promise<Response>;
  failed(error: ApiError): void;
}

/** The model of that name, where a request for it has to wait until it is loaded. */
export const modelToLoad = ({ models }: { models: ModelHost }, name: string): OfferedModel | undefined =>
  models.offered().find(({ id, aliases, status }) => status !== 'loaded' && (id === name || aliases.includes(name)));

export function replyWhileLoading({ models, name, form, signal, answer, failed }: LoadingReply): StreamedResponse {
  return new StreamedResponse(form.contentType, async (writer) => {
    const waiting = models.acquire(name, signal);
    try {
      for await (const told of statesUntil(waiting, () => stateOf(modelToLoad({ models }, name)))) {
        if (!writer.write(`: ${told}\n\n`)) await writer.room();
      }
      const response = await answer(await waiting);
      if (!(response instanceof StreamedResponse)) throw new TypeError('The reply is not streamed.');
      await response.writeTo(writer);
    } catch (error) {
      if (signal.aborted) return;
      const failure = toApiError(error);
      failed(failure);
      writer.write(form.failure(failure));
      writer.end();
    } finally {
      // A client that leaves may leave a lease that was granted, and not taken yet.
      waiting.then(
        (granted) => granted.release(),
        () => {},
      );
    }
  });
}

/** What `state` says, each time that it is something else, until the waiting is over. */
async function* statesUntil(waiting: Promise<unknown>, state: () => string): AsyncGenerator<string, void> {
  let isOver = false;
  const over = waiting.then(
    () => (isOver = true),
    () => (isOver = true),
  );
  let told = '';
  while (!isOver) {
    const now = state();
    if (now !== told) yield now;
    told = now;
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([over, new Promise((resolve) => (timer = setTimeout(resolve, tellMs)))]);
    clearTimeout(timer);
  }
}

function stateOf(model: OfferedModel | undefined): string {
  if (model?.status !== 'loading') return 'waiting for a place';
  const { done, total } = model.progress ?? { done: 0, total: 0 };
  return total === 0 ? 'loading' : `loading ${Math.floor((100 * done) / total)}%`;
}
