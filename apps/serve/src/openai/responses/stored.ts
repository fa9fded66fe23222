// GET and DELETE /v1/responses/{id}, and GET of the items that it was asked with.
import type { Context } from 'hono';
import { z } from 'zod';
import { ApiError } from '../../api-error.ts';
import type { Endpoint, ServerState } from '../../endpoint.ts';
import type { StoredResponse } from './response-store.ts';

/** @throws ApiError 404 */
function storedOf(context: Context, { responses }: ServerState): StoredResponse {
  const id = context.req.param('id')!;
  const stored = responses.get(id);
  if (stored) return stored;
  throw new ApiError(404, 'response_not_found', `The response "${id}" is not stored here (any more).`);
}

export const getResponse: Endpoint = {
  method: 'GET',
  path: '/v1/responses/:id',
  handle(context, server) {
    if (context.req.query('stream') === 'true') {
      const why = 'A stream cannot be read a second time; leave it out to get the response.';
      throw new ApiError(400, 'unsupported_parameter', why, { param: 'stream' });
    }
    return context.json(storedOf(context, server).response);
  },
};

export const deleteResponse: Endpoint = {
  method: 'DELETE',
  path: '/v1/responses/:id',
  handle(context, server) {
    const { id } = storedOf(context, server).response;
    server.responses.delete(id);
    return context.json({ id, object: 'response', deleted: true });
  },
};

const isPageSize = (text: string): boolean => /^\d{1,3}$/.test(text) && Number(text) >= 1 && Number(text) <= 100;

const pageShape = z.object({
  limit: z.string().refine(isPageSize, 'expected a number from 1 to 100').default('20').transform(Number),
  order: z.enum(['asc', 'desc']).default('desc'),
  after: z.string().optional(),
});

export const inputItems: Endpoint = {
  method: 'GET',
  path: '/v1/responses/:id/input_items',
  handle(context, server) {
    const { input } = storedOf(context, server);
    const page = pageShape.safeParse(context.req.query());
    if (!page.success) {
      const [{ path, message }] = page.error.issues as [z.core.$ZodIssue];
      throw new ApiError(400, 'invalid_value', `${path.join('.')}: ${message}.`, { param: path.join('.') });
    }
    const { limit, order, after } = page.data;
    const items = order === 'asc' ? input : input.toReversed();
    const start = after === undefined ? 0 : items.findIndex(({ id }) => id === after) + 1;
    if (after !== undefined && start === 0)
      throw new ApiError(400, 'invalid_value', `after: there is no item "${after}".`, { param: 'after' });
    const data = items.slice(start, start + limit);
    const more = start + limit < items.length;
    return context.json({
      object: 'list',
      data,
      first_id: data[0]?.id ?? null,
      last_id: data.at(-1)?.id ?? null,
      has_more: more,
    });
  },
};
