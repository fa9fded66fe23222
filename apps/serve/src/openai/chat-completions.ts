// POST /v1/chat/completions: the model's chat template renders messages and tools; the reply comes back whole or as
// server-sent events. `<tool_call>` blocks of the reply become `tool_calls` when the request offers tools.
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { type ChatRequest, prepareChat } from '../chat/chat.ts';
import { messageShape, toolShape } from '../chat/messages.ts';
import type { ChatEvent } from '../chat/reply.ts';
import type { ReplyEvent } from '../chat/reply-reader.ts';
import { type WholeReply, wholeReply } from '../chat/whole-reply.ts';
import { type Endpoint, withModel } from '../endpoint.ts';
import { costOfAll, type ReplyCost } from '../generate/cost.ts';
import { generationFields, readRequest } from '../generate/generation-request.ts';
import { interleave } from '../generate/interleave.ts';
import type { ServedModel } from '../models/served-model.ts';
import { respond } from '../respond.ts';
import { openAiStream } from '../stream-form.ts';
import { createdSeconds, responseId, usage } from './response-fields.ts';
import { chatLogProbs } from './token-log-probs.ts';

const chatShape = z.looseObject({
  ...generationFields,
  messages: z.array(messageShape).min(1),
  max_completion_tokens: z.int().min(1).nullish(),
  tools: z.array(toolShape).nullish(),
  tool_choice: z
    .union([
      z.enum(['auto', 'none', 'required']),
      z.looseObject({ type: z.literal('function'), function: z.looseObject({ name: z.string() }) }),
    ])
    .nullish(),
  chat_template_kwargs: z.record(z.string(), z.unknown()).nullish(),
  logprobs: z.boolean().nullish(),
  top_logprobs: z.int().min(0).max(20).nullish(),
});

export const chatCompletions: Endpoint = {
  method: 'POST',
  path: '/v1/chat/completions',
  async handle(context, server) {
    const request = await readRequest(context, chatShape);
    return withModel(context, server, request.model, async (lease) => {
      const chat = await prepareChat(lease, chatOf(request), server, context.req.raw.signal);
      const form = {
        model: lease.model,
        head: { id: responseId('chatcmpl'), created: createdSeconds(), model: lease.model.id },
        showsLogProbs: request.logprobs ?? false,
        includeUsage: request.stream_options?.include_usage ?? false,
      };
      const replies = () => chat.replies(request.n ?? 1);
      const answer = { chunks: () => chunks(replies(), form), whole: () => whole(replies(), form) };
      return respond(server, lease, answer, request.stream ? openAiStream : undefined);
    });
  },
};

const chatOf = (request: z.infer<typeof chatShape>): ChatRequest => ({
  messages: request.messages,
  tools: request.tools ?? undefined,
  toolChoice: typeof request.tool_choice === 'object' ? request.tool_choice?.function : request.tool_choice,
  templateVariables: request.chat_template_kwargs ?? undefined,
  request,
  maxTokens: request.max_completion_tokens ?? request.max_tokens ?? undefined,
  ...(request.logprobs ? { logProbs: request.top_logprobs ?? 0 } : {}),
});

interface Form {
  readonly model: ServedModel;
  readonly head: { readonly id: string; readonly created: number; readonly model: string };
  readonly showsLogProbs: boolean;
  readonly includeUsage: boolean;
}

const newCall = (name: string, args: string) => ({
  id: `call_${randomUUID().replaceAll('-', '')}`,
  type: 'function',
  function: { name, arguments: args },
});

async function whole(events: readonly AsyncGenerator<ChatEvent>[], form: Form): Promise<unknown> {
  const replies = await Promise.all(events.map(wholeReply));
  return {
    ...form.head,
    object: 'chat.completion',
    choices: replies.map((reply, index) => choiceOf(reply, index, form)),
    usage: usage(costOfAll(replies.map(({ end }) => end.cost))),
  };
}

function choiceOf({ reasoning, content, calls, tokens, end }: WholeReply, index: number, form: Form): object {
  const message = {
    role: 'assistant',
    content: content || calls.length === 0 ? content : null,
    refusal: null,
    ...(reasoning ? { reasoning_content: reasoning } : {}),
    ...(calls.length > 0 ? { tool_calls: calls.map((call) => newCall(call.name, call.arguments)) } : {}),
  };
  const logprobs = form.showsLogProbs && tokens.length > 0 ? chatLogProbs(form.model.tokenizer, tokens) : null;
  return { index, message, logprobs, finish_reason: end.finishReason };
}

async function* chunks(replies: readonly AsyncGenerator<ChatEvent>[], form: Form): AsyncGenerator<unknown> {
  const { head, showsLogProbs, includeUsage, model } = form;
  const shared = { ...head, object: 'chat.completion.chunk', ...(includeUsage ? { usage: null } : {}) };
  const chunk = (index: number, delta: object, logprobs: object | null = null, finishReason: string | null = null) => ({
    ...shared,
    choices: [{ index, delta, logprobs, finish_reason: finishReason }],
  });
  for (const index of replies.keys()) yield chunk(index, { role: 'assistant', content: null });
  const costs: ReplyCost[] = [];
  for await (const { index, value: event } of interleave(replies)) {
    if (event.type === 'end') {
      yield chunk(index, {}, null, event.finishReason);
      costs.push(event.cost);
      continue;
    }
    let logprobs = showsLogProbs && event.tokens.length > 0 ? chatLogProbs(model.tokenizer, event.tokens) : null;
    if (event.parts.length === 0 && logprobs) yield chunk(index, { content: '' }, logprobs);
    for (const part of event.parts) {
      yield chunk(index, deltaOf(part), logprobs);
      logprobs = null;
    }
  }
  if (includeUsage) yield { ...shared, choices: [], usage: usage(costOfAll(costs)) };
}

function deltaOf(part: ReplyEvent): object {
  switch (part.type) {
    case 'reasoning':
      return { reasoning_content: part.text };
    case 'content':
      return { content: part.text };
    case 'call':
      return { tool_calls: [{ index: part.index, ...newCall(part.name, '') }] };
    case 'arguments':
      return { tool_calls: [{ index: part.index, function: { arguments: part.text } }] };
  }
}
