// POST /v1/chat/completions/input_tokens: how long the prompt of a chat would be. The body is that of a chat.
import { countChatTokens } from '../chat/chat.ts';
import { type Endpoint, withModel } from '../endpoint.ts';
import { readRequest } from '../generate/generation-request.ts';
import { chatOf, chatShape } from '../openai/chat-completions.ts';

export const chatInputTokens: Endpoint = {
  method: 'POST',
  path: '/v1/chat/completions/input_tokens',
  aliases: ['/chat/completions/input_tokens'],
  async handle(context, server) {
    const request = await readRequest(context, chatShape);
    return withModel(context, server, request.model, async (lease) =>
      context.json({ input_tokens: await countChatTokens(lease, chatOf(request), context.req.raw.signal) }),
    );
  },
};
