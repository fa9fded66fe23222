// POST /v1/messages, Anthropic's chat. Whole or streamed, a message is made of the same events.

import { prepareChat } from '../chat/chat.ts';
import { withModel } from '../endpoint.ts';
import { readRequest } from '../generate/generation-request.ts';
import { randomId } from '../random-id.ts';
import { respond } from '../respond.ts';
import { namedEventStream } from '../stream-form.ts';
import { anthropicEndpoint } from './anthropic-endpoint.ts';
import { chatOf } from './chat-request.ts';
import { errorBody } from './error-body.ts';
import { messageEvents } from './message-events.ts';
import { messagesShape, refusedFields } from './request-shape.ts';
import { wholeMessage } from './whole-message.ts';

const messageStream = namedEventStream(errorBody, { type: 'ping' });

export const messages = anthropicEndpoint('POST', '/v1/messages', async (context, server) => {
  const request = await readRequest(context, messagesShape, refusedFields);
  return withModel(context, server, request.model, async (lease) => {
    const chat = await prepareChat(lease, chatOf(request), server, context.req.raw.signal);
    const head = {
      id: randomId('msg_'),
      model: lease.model.id,
      promptTokens: chat.promptTokens,
      maxTokens: request.max_tokens,
      showsThinking: request.thinking?.type === 'disabled' || request.thinking?.display !== 'omitted',
    };
    const events = () => messageEvents(chat.replies(1)[0]!, head);
    const answer = { chunks: events, whole: () => wholeMessage(events()) };
    return respond(server, lease, answer, request.stream ? messageStream : undefined);
  });
});
