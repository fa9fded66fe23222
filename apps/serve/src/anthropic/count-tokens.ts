// POST /v1/messages/count_tokens: how long the prompt of a message would be.
import { countChatTokens } from '../chat/chat.ts';
import { withModel } from '../endpoint.ts';
import { readRequest } from '../generate/generation-request.ts';
import { anthropicEndpoint } from './anthropic-endpoint.ts';
import { promptOf } from './chat-request.ts';
import { promptShape, refusedFields } from './request-shape.ts';

export const countTokens = anthropicEndpoint('POST', '/v1/messages/count_tokens', async (context, server) => {
  const request = await readRequest(context, promptShape, refusedFields);
  return withModel(context, server, request.model, async (lease) =>
    context.json({
      input_tokens: await countChatTokens(lease, { ...promptOf(request), request: {} }, context.req.raw.signal),
    }),
  );
});
