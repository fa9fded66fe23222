// POST /v1/responses/input_tokens: how long the prompt of a response would be.
import { countChatTokens } from '../../chat/chat.ts';
import { type Endpoint, withModel } from '../../endpoint.ts';
import { readRequest } from '../../generate/generation-request.ts';
import { promptOf } from './chat-request.ts';
import { conversationOf } from './conversation.ts';
import { promptShape, refusedFields } from './request-shape.ts';

export const inputTokens: Endpoint = {
  method: 'POST',
  path: '/v1/responses/input_tokens',
  aliases: ['/responses/input_tokens'],
  async handle(context, server) {
    const request = await readRequest(context, promptShape, refusedFields);
    return withModel(context, server, request.model, async (lease) => {
      const chat = { ...(await promptOf(request, conversationOf(request, server.responses))), request: {} };
      return context.json({
        object: 'response.input_tokens',
        input_tokens: await countChatTokens(lease, chat, context.req.raw.signal),
      });
    });
  },
};
