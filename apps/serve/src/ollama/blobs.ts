// POST /api/blobs/:digest takes in a file for /api/create, on servers that were told --allow-changes; HEAD (and GET) tell whether it is
// there. It goes to the disk as it comes, however large it is, and counts when its hash is right.
import type { HttpBindings } from '@hono/node-server';
import { blobBytes, parseDigest, receiveBlob } from '@quern/source';
import type { Context } from 'hono';
import { ApiError } from '../api-error.ts';
import { asField } from '../created/field-fault.ts';
import type { Endpoint } from '../endpoint.ts';
import { letTakeItsTime } from '../http/time-limits.ts';
import { shelfOf } from './changes.ts';
import { ollamaEndpoint } from './ollama-endpoint.ts';

const path = '/api/blobs/:digest';
const instead = 'Create models with quern create.';

const digestOf = (context: Context): string => asField('digest', () => parseDigest(context.req.param('digest')!));

const find = ollamaEndpoint('GET', path, async (context, server) => {
  const { created } = shelfOf(server, instead);
  const digest = digestOf(context);
  const size = await blobBytes(created.blobs, digest);
  if (size === undefined)
    throw new ApiError(404, 'blob_missing', `There is no file ${digest} here.`, { param: 'digest' });
  return Response.json({ digest, size });
});

const receive: Endpoint = {
  ...ollamaEndpoint('POST', path, async (context: Context<{ Bindings: HttpBindings }>, server) => {
    const { created } = shelfOf(server, instead);
    const digest = digestOf(context);
    if ((await blobBytes(created.blobs, digest)) !== undefined) return context.body(null, 200);
    const { incoming } = context.env;
    letTakeItsTime(incoming);
    const length = context.req.header('content-length');
    const signal = AbortSignal.any([context.req.raw.signal, server.stopping]);
    try {
      await receiveBlob(created.blobs, digest, incoming, {
        size: length === undefined ? undefined : Number(length),
        signal,
      });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ECONNRESET') throw error;
      throw new ApiError(400, 'body_incomplete', 'The connection ended before the whole file had come.');
    }
    return context.body(null, 201);
  }),
  streamsBody: true,
};

export const blobs: readonly Endpoint[] = [find, receive];
