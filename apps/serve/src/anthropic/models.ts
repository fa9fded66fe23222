// GET /v1/models and /v1/models/{id} in Anthropic's form, for clients that say which version of its API they speak; the
// others get OpenAI's, under the same paths.
import type { Context } from 'hono';
import { ApiError } from '../api-error.ts';
import type { Endpoint } from '../endpoint.ts';
import type { OfferedModel } from '../models/model-host.ts';
import { madeMs, offeredModel, offeredModels } from '../models/offered-models.ts';
import { anthropicEndpoint } from './anthropic-endpoint.ts';

/** Every client of Anthropic's sends it. */
const answers = (headers: Headers): boolean => headers.has('anthropic-version');

/** A model that is not loaded has not been looked into: null is "not known" in this form. */
const describe = (offered: OfferedModel) => ({
  type: 'model',
  id: offered.id,
  display_name: offered.id,
  created_at: new Date(madeMs(offered)).toISOString(),
  max_input_tokens: offered.model?.contextTokens ?? null,
  max_tokens: offered.model?.contextTokens ?? null,
  capabilities: null,
  lifecycle: 'active',
  line: null,
  deprecated_at: null,
  retires_at: null,
});

interface Pages {
  readonly limit: number;
  readonly after?: string;
  readonly before?: string;
}

/** @throws ApiError 400 for a size of pages that there is not, or for both directions at once */
function pagesOf(context: Context): Pages {
  const { limit = '20', after_id: after, before_id: before } = context.req.query();
  const size = /^\d{1,4}$/.test(limit) ? Number(limit) : 0;
  if (size < 1 || size > 1000)
    throw new ApiError(400, 'invalid_value', 'limit: expected a number from 1 to 1000.', { param: 'limit' });
  if (after !== undefined && before !== undefined)
    throw new ApiError(400, 'invalid_value', 'after_id: give it or before_id.', { param: 'after_id' });
  return { limit: size, after, before };
}

/** Where a model stands in the list. @throws ApiError 400 for one that is not in it */
function placeOf(offered: readonly OfferedModel[], id: string, param: string): number {
  const place = offered.findIndex((model) => model.id === id);
  if (place >= 0) return place;
  throw new ApiError(400, 'invalid_value', `${param}: no model has the id ${JSON.stringify(id.slice(0, 64))}.`, {
    param,
  });
}

export const models: Endpoint = {
  ...anthropicEndpoint('GET', '/v1/models', async (context, server) => {
    const { limit, after, before } = pagesOf(context);
    const offered = await offeredModels(server);
    const end = before === undefined ? offered.length : placeOf(offered, before, 'before_id');
    const first = after === undefined ? 0 : placeOf(offered, after, 'after_id') + 1;
    const start = before === undefined ? first : Math.max(0, end - limit);
    const page = offered.slice(start, Math.min(end, start + limit));
    return context.json({
      data: page.map(describe),
      has_more: before === undefined ? start + page.length < offered.length : start > 0,
      first_id: page[0]?.id ?? null,
      last_id: page.at(-1)?.id ?? null,
    });
  }),
  answers,
};

export const model: Endpoint = {
  ...anthropicEndpoint('GET', '/v1/models/:id{.+}', async (context, server) =>
    context.json(describe(await offeredModel(server, context.req.param('id') ?? ''))),
  ),
  answers,
};
