// POST /apply-template: the text that a chat's messages become, without computing it. The body is that of a chat.
import { renderedChat } from '../chat/chat.ts';
import { type Endpoint, withModel } from '../endpoint.ts';
import { readRequest } from '../generate/generation-request.ts';
import { chatOf, chatShape } from '../openai/chat-completions.ts';

export const applyTemplate: Endpoint = {
  method: 'POST',
  path: '/apply-template',
  async handle(context, server) {
    const request = await readRequest(context, chatShape);
    return withModel(context, server, request.model, async (lease) =>
      context.json({ prompt: await renderedChat(lease, chatOf(request), context.req.raw.signal) }),
    );
  },
};
