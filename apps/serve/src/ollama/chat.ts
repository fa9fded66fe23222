// POST /api/chat: Ollama's chat, streamed unless told otherwise.
import { z } from 'zod';
import { type ChatRequest, prepareChat } from '../chat/chat.ts';
import { toolShape } from '../chat/messages.ts';
import { readRequest } from '../generate/generation-request.ts';
import { longListOf } from '../large-shapes.ts';
import type { ServedModel } from '../models/served-model.ts';
import { respond } from '../respond.ts';
import { lineStream } from '../stream-form.ts';
import { messageOf, messageShape } from './messages.ts';
import { ollamaEndpoint } from './ollama-endpoint.ts';
import { answerOf, headOf, type Piece, pieces } from './reply-events.ts';
import {
  checkContext,
  generationOf,
  logProbsOf,
  maxTokensOf,
  type SharedRequest,
  sharedFields,
} from './request-fields.ts';
import { loadedReason, withOllamaModel } from './with-model.ts';

const chatShape = z.looseObject({
  ...sharedFields,
  messages: longListOf(messageShape).nullish(),
  tools: longListOf(toolShape).nullish(),
});
type OllamaChatRequest = z.infer<typeof chatShape>;

export const chat = ollamaEndpoint('POST', '/api/chat', async (context, server) => {
  const request = await readRequest(context, chatShape);
  return withOllamaModel(context, server, request, async ({ lease, startMs }) => {
    const { model } = lease;
    checkContext(request, model);
    if (!request.messages?.length) return Response.json(loaded(model, request.keep_alive));
    const prepared = await prepareChat(lease, chatOf(request, model), server, context.req.raw.signal);
    const told = () => pieces(prepared.replies(1)[0]!, startMs);
    const answer = answerOf(told, model, request.logprobs ?? false, messageFields);
    return respond(server, lease, answer, (request.stream ?? true) ? lineStream : undefined);
  });
});

const loaded = (model: ServedModel, keepAlive: string | number | null | undefined): object => ({
  ...headOf(model),
  message: { role: 'assistant', content: '' },
  done_reason: loadedReason(keepAlive),
  done: true,
});

function chatOf(request: OllamaChatRequest, model: ServedModel): ChatRequest {
  return {
    messages: request.messages!.map(messageOf),
    tools: request.tools ?? undefined,
    ...thinkingOf(request),
    request: generationOf(request, model),
    maxTokens: maxTokensOf(request),
    ...logProbsOf(request),
  };
}

/** `think` is a switch, or how hard. */
export function thinkingOf({ think }: Pick<SharedRequest, 'think'>): Pick<ChatRequest, 'thinking' | 'reasoningEffort'> {
  if (think === null || think === undefined) return {};
  return typeof think === 'boolean' ? { thinking: think } : { thinking: true, reasoningEffort: think };
}

const messageFields = ({ content = '', thinking, calls }: Partial<Piece>): object => ({
  message: {
    ...{ role: 'assistant', content },
    ...(thinking && { thinking }),
    ...(calls?.length && { tool_calls: calls }),
  },
});
