// POST /api/pull, /api/copy and DELETE /api/delete, on servers that were told --allow-changes; elsewhere 403.
import type { Context } from 'hono';
import { z } from 'zod';
import { ApiError } from '../api-error.ts';
import type { Endpoint } from '../endpoint.ts';
import { readRequest } from '../generate/generation-request.ts';
import { pulling, shelfOf, toldStates } from './changes.ts';
import { ollamaEndpoint, withoutLatest } from './ollama-endpoint.ts';
import { namedFields, nameOf } from './request-fields.ts';

const pullShape = z.looseObject({
  ...namedFields,
  stream: z.boolean().nullish(),
  // Leave to fetch from a registry whose certificate does not hold, which nothing here makes use of: certificates are checked.
  insecure: z.boolean().nullish(),
});

const pull = ollamaEndpoint('POST', '/api/pull', async (context, server) => {
  const request = await readRequest(context, pullShape);
  const shelf = shelfOf(server, 'Fetch models with quern pull.');
  const { signal } = context.req.raw;
  const states = (async function* () {
    yield* pulling(shelf, nameOf(request), signal);
    yield { status: 'success' };
  })();
  return toldStates(server, states, request.stream ?? true);
});

const copy = ollamaEndpoint('POST', '/api/copy', async (context, server) => {
  const { source, destination } = await readRequest(
    context,
    z.looseObject({ source: z.string().min(1), destination: z.string().min(1) }),
  );
  const shelf = shelfOf(server, 'Give a model further names in a file of presets (--preset).');
  await shelf.copy(withoutLatest(source), withoutLatest(destination));
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

export const manage: readonly Endpoint[] = [pull, copy, remove, push];
