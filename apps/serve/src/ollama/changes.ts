// What the endpoints share that change which models there are.
import { ApiError } from '../api-error.ts';
import { recordFailure, type ServerState } from '../endpoint.ts';
import { streamResponse } from '../event-stream.ts';
import type { ModelShelf } from '../models/model-shelf.ts';
import { lineStream } from '../stream-form.ts';
import { toldBy } from '../told-by.ts';

/** @param instead what a person does where clients may change nothing. @throws ApiError 403 */
export function shelfOf({ shelf }: ServerState, instead: string): ModelShelf {
  if (shelf) return shelf;
  const message = `This server’s models do not change. ${instead} A server of --allow-changes does it when it is asked.`;
  throw new ApiError(403, 'changes_not_allowed', message);
}

/** States as lines, or the last of them alone. What fails before the first is answered with a status. */
export async function toldStates(
  server: ServerState,
  states: AsyncGenerator<object>,
  isStreamed: boolean,
): Promise<Response> {
  const first = await states.next();
  const all = (async function* () {
    if (first.done) return;
    yield first.value;
    yield* states;
  })();
  if (isStreamed)
    return streamResponse(all, lineStream, {
      ended: () => {},
      failed: (error) => recordFailure(server, error),
      stopping: server.stopping,
    });
  let last: object = {};
  for await (const state of all) last = state;
  return Response.json(last);
}

/** What is told while a model arrives; `success` is for the caller to say, since clients read no further. */
export async function* pulling(shelf: ModelShelf, name: string, signal: AbortSignal): AsyncGenerator<object> {
  yield { status: 'pulling manifest' };
  yield* toldBy<object, void>((tell) =>
    shelf.pull(name, {
      signal,
      onProgress: ({ file, receivedBytes, totalBytes }) =>
        tell({ status: `pulling ${file}`, digest: file, total: totalBytes, completed: receivedBytes }),
    }),
  );
}
