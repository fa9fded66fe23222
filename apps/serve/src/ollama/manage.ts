// POST /api/pull, /api/create, /api/copy and DELETE /api/delete, on servers that were told --allow-changes; elsewhere 403. A model is created
// as a further name of another one: what would make it another model (a system prompt, parameters, adapters, files) is refused by name.
import type { Context } from 'hono';
import { z } from 'zod';
import { ApiError } from '../api-error.ts';
import type { Endpoint, ServerState } from '../endpoint.ts';
import { recordFailure } from '../endpoint.ts';
import { streamResponse } from '../event-stream.ts';
import { readRequest } from '../generate/generation-request.ts';
import type { ModelShelf } from '../models/model-shelf.ts';
import { lineStream } from '../stream-form.ts';
import { ollamaEndpoint, withoutLatest } from './ollama-endpoint.ts';
import { namedFields, nameOf } from './request-fields.ts';

const stream = z.boolean().nullish();

function shelfOf({ shelf }: ServerState, instead: string): ModelShelf {
  if (shelf) return shelf;
  const message = `This server’s models do not change. ${instead} A server of --allow-changes does it when it is asked.`;
  throw new ApiError(403, 'changes_not_allowed', message);
}

const pullShape = z.looseObject({
  ...namedFields,
  stream,
  insecure: z.literal(false, 'certificates are checked').nullish(),
});

const pull = ollamaEndpoint('POST', '/api/pull', async (context, server) => {
  const request = await readRequest(context, pullShape);
  const shelf = shelfOf(server, 'Fetch models with quern pull.');
  const fetching = pulling(shelf, nameOf(request), context.req.raw.signal);
  if (request.stream ?? true) return streamed(server, fetching);
  let last: unknown;
  for await (const state of fetching) last = state;
  return Response.json(last);
});

const streamed = (server: ServerState, states: AsyncGenerator<unknown>): Response =>
  streamResponse(states, lineStream, {
    ended: () => {},
    failed: (error) => recordFailure(server, error),
    stopping: server.stopping,
  });

interface Received {
  readonly file: string;
  readonly receivedBytes: number;
  readonly totalBytes: number;
}

/** What is told while a model arrives: at most one line for what has come since the last was read. */
async function* pulling(shelf: ModelShelf, name: string, signal: AbortSignal): AsyncGenerator<unknown> {
  yield { status: 'pulling manifest' };
  let received: Received | undefined;
  let wake = (): void => {};
  let done = false;
  const onProgress = (state: Received): void => {
    received = state;
    wake();
  };
  const fetched = shelf.pull(name, { signal, onProgress }).finally(() => {
    done = true;
    wake();
  });
  // Looked at below; until then a failure is not unhandled.
  fetched.catch(() => {});
  while (!done) {
    if (received) {
      const { file, receivedBytes, totalBytes } = received;
      received = undefined;
      yield { status: `pulling ${file}`, digest: file, total: totalBytes, completed: receivedBytes };
    } else await new Promise<void>((resolve) => (wake = resolve));
  }
  await fetched;
  yield { status: 'success' };
}

const createShape = z.looseObject({
  ...namedFields,
  stream,
  from: z.string().min(1),
  ...Object.fromEntries(
    ['files', 'adapters', 'template', 'license', 'system', 'parameters', 'messages', 'quantize', 'modelfile'].map(
      (field) => [
        field,
        z
          .unknown()
          .refine(
            (value) => value === undefined || value === null,
            'a model is created as a further name of another one',
          )
          .optional(),
      ],
    ),
  ),
});

const create = ollamaEndpoint('POST', '/api/create', async (context, server) => {
  const request = await readRequest(context, createShape);
  const shelf = shelfOf(server, 'Give a model further names in a file of presets (--preset).');
  shelf.copy(withoutLatest(request.from), nameOf(request));
  if (!(request.stream ?? true)) return Response.json({ status: 'success' });
  return streamed(
    server,
    (async function* () {
      yield { status: 'success' };
    })(),
  );
});

const copy = ollamaEndpoint('POST', '/api/copy', async (context, server) => {
  const { source, destination } = await readRequest(
    context,
    z.looseObject({ source: z.string().min(1), destination: z.string().min(1) }),
  );
  shelfOf(server, 'Give a model further names in a file of presets (--preset).').copy(
    withoutLatest(source),
    withoutLatest(destination),
  );
  return context.body(null, 200);
});

const remove = ollamaEndpoint('DELETE', '/api/delete', async (context: Context, server) => {
  const name = nameOf(await readRequest(context, z.looseObject(namedFields)));
  await shelfOf(server, 'Remove models with quern rm.').remove(name);
  return context.body(null, 200);
});

const push = ollamaEndpoint('POST', '/api/push', () => {
  throw new ApiError(501, 'not_implemented', 'Nothing is uploaded.');
});

export const manage: readonly Endpoint[] = [pull, create, copy, remove, push];
