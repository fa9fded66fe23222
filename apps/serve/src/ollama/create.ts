// POST /api/create, on servers that were told --allow-changes: a model of another one, or of a file that was sent as a blob.
import { parseDigest, parseModelReference } from '@quern/source';
import { z } from 'zod';
import { ApiError } from '../api-error.ts';
import { type Base, createModel } from '../created/create-model.ts';
import { type CreateRequest, createFields, refusedCreateFields } from '../created/create-request.ts';
import { asField, faultOf } from '../created/field-fault.ts';
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
  const model = yield* createModel(name, request, base, shelf.created, signal);
  signal.throwIfAborted();
  await shelf.create(model);
  yield { status: 'success' };
}

/** A model of the hub that is not here is fetched, as Ollama does. */
async function* baseOf(
  { from, files }: CreateRequest,
  shelf: ModelShelf,
  signal: AbortSignal,
): AsyncGenerator<object, Base> {
  const sent = Object.entries(files ?? {});
  if (from && sent.length > 0) throw wrong('files', 'give from or files, not both');
  if (!from) return fileBase(sent, shelf);
  const name = withoutLatest(from);
  if (!shelf.has(name) && parseModelReference(name).kind === 'hub') yield* pulling(shelf, name, signal);
  const source = shelf.find(name);
  const path = await source.locate().catch(faultOf('from'));
  const { created } = source;
  return created
    ? { from: created.from, weights: created.weights, path, created }
    : { from: source.id, weights: { reference: source.reference }, path };
}

async function fileBase(sent: readonly (readonly [string, string])[], { created }: ModelShelf): Promise<Base> {
  const [first, second] = sent;
  if (!first) throw wrong('from', 'say what the model is made from: from, or files');
  if (second)
    throw wrong(
      'files',
      'one GGUF file is expected; quern merge joins a split one, and quern convert makes one of a checkpoint',
    );
  const [name, written] = first;
  const digest = asField(`files.${name}`, () => parseDigest(written));
  return { weights: { digest }, path: await created.fileOf(digest).catch(faultOf(`files.${name}`)) };
}

const wrong = (field: string, what: string): ApiError =>
  new ApiError(400, 'invalid_value', `${field}: ${what}.`, { param: field });
