// A streamed reply by a model that is not loaded yet: the response begins at once, and comments, which every client passes over,
// tell how far the loading is. What goes wrong from here on is told in the stream, since its headers are out.
import { type ApiError, toApiError } from '../api-error.ts';
import type { StreamForm } from '../stream-form.ts';
import type { ModelHost, ModelLease, OfferedModel } from './model-host.ts';

const tellMs = 500;

export interface LoadingReply {
  readonly models: ModelHost;
  readonly name: string;
  readonly form: StreamForm;
  readonly signal: AbortSignal;
  answer(lease: ModelLease): Response | Promise<Response>;
  failed(error: ApiError): void;
}

/** The model of that name, where a request for it has to wait until it is loaded. */
export const modelToLoad = ({ models }: { models: ModelHost }, name: string): OfferedModel | undefined =>
  models.offered().find(({ id, aliases, status }) => status !== 'loaded' && (id === name || aliases.includes(name)));

export function replyWhileLoading(reply: LoadingReply): Response {
  const parts = partsOf(reply);
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await parts.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    // The request's signal ends the waiting; `return` ends what comes after it.
    cancel: async () => void (await parts.return()),
  });
  const headers = { 'content-type': reply.form.contentType, 'cache-control': 'no-cache', 'x-accel-buffering': 'no' };
  return new Response(body, { headers });
}

async function* partsOf({
  models,
  name,
  form,
  signal,
  answer,
  failed,
}: LoadingReply): AsyncGenerator<Uint8Array, void> {
  const encoder = new TextEncoder();
  const waiting = models.acquire(name, signal);
  try {
    for await (const told of statesUntil(waiting, () => stateOf(modelToLoad({ models }, name))))
      yield encoder.encode(`: ${told}\n\n`);
    const { body } = await answer(await waiting);
    for await (const part of body ?? []) yield part;
  } catch (error) {
    const failure = toApiError(error);
    if (signal.aborted) return;
    failed(failure);
    yield encoder.encode(form.failure(failure));
  } finally {
    // A client that leaves may leave a lease that was granted, and not taken yet.
    waiting.then(
      (granted) => granted.release(),
      () => {},
    );
  }
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
