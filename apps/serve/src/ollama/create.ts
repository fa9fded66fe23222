// POST /api/create, on servers that were told --allow-changes: a model of another one, or of a file that was sent as a blob.
import { parseModelReference } from '@quern/source';
import { z } from 'zod';
import { ApiError } from '../api-error.ts';
import { type Base, createModel } from '../created/create-model.ts';
import { type CreateRequest, createFields, refusedCreateFields } from '../created/create-request.ts';
import { faultOf } from '../created/field-fault.ts';
import { type SentBase, sentBase } from '../created/sent-files.ts';
import { readRequest } from '../generate/generation-request.ts';
import type { ModelShelf } from '../models/model-shelf.ts';
import { pulling, shelfOf, toldStates } from './changes.ts';
import { ollamaEndpoint, withoutLatest } from './ollama-endpoint.ts';
import { namedFields, nameOf } from './request-fields.ts';

const shape = z.looseObject({ ...namedFields, ...createFields, stream: z.boolean().nullish() });

export const create = ollamaEndpoint('POST', '/api/create', async (context, server) => {
  const request = await readRequest(context, shape, refusedCreateFields);
  const shelf = shelfOf(server, 'Create models with quern create.');
  return toldStates(server, creating(nameOf(request), request, shelf, context.req.raw.signal), request.stream ?? true);
});

async function* creating(
  name: string,
  request: CreateRequest,
  shelf: ModelShelf,
  signal: AbortSignal,
): AsyncGenerator<object> {
  const base = yield* baseOf(request, shelf, signal);
  try {
    const model = yield* createModel(name, request, base, shelf.created, signal, shelf.check);
    signal.throwIfAborted();
    await shelf.create(model);
  } finally {
    if ('remove' in base) await base.remove();
  }
  yield { status: 'success' };
}

/** A model of the hub that is not here is fetched, as Ollama does. */
async function* baseOf(
  { from, files }: CreateRequest,
  shelf: ModelShelf,
  signal: AbortSignal,
): AsyncGenerator<object, Base | SentBase> {
  const isSent = Object.keys(files ?? {}).length > 0;
  if (from && isSent) throw wrong('files', 'give from or files, not both');
  if (isSent) return sentBase(files!, shelf.created);
  if (!from) throw wrong('from', 'say what the model is made from: from, or files');
  const name = withoutLatest(from);
  if (!shelf.has(name) && parseModelReference(name).kind === 'hub') yield* pulling(shelf, name, signal);
  const source = shelf.find(name);
  const path = await source.locate().catch(faultOf('from'));
  const { created } = source;
  return created
    ? { from: created.from, weights: created.weights, path, created }
    : { from: source.id, weights: { reference: source.reference }, path };
}

const wrong = (field: string, what: string): ApiError =>
  new ApiError(400, 'invalid_value', `${field}: ${what}.`, { param: field });
