// POST /v1/chat/completions: the model's chat template renders messages and tools; the reply comes back whole or as
// server-sent events. `<tool_call>` blocks of the reply become `tool_calls` when the request offers tools.
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { messageShape, toolShape } from '../chat-messages.ts';
import { chatPrompt } from '../chat-prompt.ts';
import { type ChatEvent, chatReply } from '../chat-reply.ts';
import { type Endpoint, requestedModel } from '../endpoint.ts';
import { checkTask, type GenerationTask } from '../generation.ts';
import { generationFields, readRequest } from '../generation-request.ts';
import { respond } from '../respond.ts';
import { createdSeconds, responseId } from '../response-fields.ts';
import type { ToolCall } from '../tool-calls.ts';

const chatShape = z.looseObject({
  ...generationFields,
  messages: z.array(messageShape).min(1),
  max_completion_tokens: z.int().min(1).nullish(),
  tools: z.array(toolShape).nullish(),
  tool_choice: z.enum(['auto', 'none']).nullish(),
  chat_template_kwargs: z.record(z.string(), z.unknown()).nullish(),
  logprobs: z.boolean().nullish(),
  top_logprobs: z.int().min(0).max(20).nullish(),
});

export const chatCompletions: Endpoint = {
  method: 'POST',
  path: '/v1/chat/completions',
  async handle(context, server) {
    const request = await readRequest(context, chatShape);
    const model = requestedModel(server, request.model);
    const tools = request.tool_choice !== 'none' && request.tools?.length ? request.tools : undefined;
    const prompt = chatPrompt(model, {
      messages: request.messages,
      tools,
      extra: request.chat_template_kwargs ?? undefined,
    });
    const task: GenerationTask = {
      model,
      prompt,
      request,
      maxTokens: request.max_completion_tokens ?? request.max_tokens ?? undefined,
      ...(request.logprobs ? { logProbs: request.top_logprobs ?? 0 } : {}),
      signal: context.req.raw.signal,
      onEnd: server.onGeneration,
    };
    checkTask(task, 'messages');
    const head = { id: responseId('chatcmpl'), created: createdSeconds(), model: model.id };
    const includeUsage = request.stream_options?.include_usage ?? false;
    const answer = {
      chunks: () => chunks(chatReply(task, tools !== undefined), head, includeUsage),
      whole: () => whole(chatReply(task, tools !== undefined), head),
    };
    return respond(server, answer, request.stream ?? false);
  },
};

type Head = { id: string; created: number; model: string };

const toolCallField = (call: ToolCall) => ({
  id: `call_${randomUUID().replaceAll('-', '')}`,
  type: 'function',
  function: call,
});

async function whole(reply: AsyncGenerator<ChatEvent>, head: Head): Promise<unknown> {
  let content = '';
  const calls: ReturnType<typeof toolCallField>[] = [];
  const logprobs = [];
  for await (const event of reply) {
    if (event.type === 'parts') {
      for (const part of event.parts) {
        if ('call' in part) calls.push(toolCallField(part.call));
        else content += part.text;
      }
      if (event.logprobs) logprobs.push(...event.logprobs.content);
      continue;
    }
    const message = {
      role: 'assistant',
      content: content || calls.length === 0 ? content : null,
      refusal: null,
      ...(calls.length > 0 ? { tool_calls: calls } : {}),
    };
    const choice = {
      index: 0,
      message,
      logprobs: logprobs.length > 0 ? { content: logprobs, refusal: null } : null,
      finish_reason: event.finishReason,
    };
    return { ...head, object: 'chat.completion', choices: [choice], usage: event.usage };
  }
}

async function* chunks(reply: AsyncGenerator<ChatEvent>, head: Head, includeUsage: boolean): AsyncGenerator<unknown> {
  const shared = { ...head, object: 'chat.completion.chunk', ...(includeUsage ? { usage: null } : {}) };
  const chunk = (delta: object, logprobs: object | null = null, finishReason: string | null = null) => ({
    ...shared,
    choices: [{ index: 0, delta, logprobs, finish_reason: finishReason }],
  });
  yield chunk({ role: 'assistant', content: null });
  let calls = 0;
  for await (const event of reply) {
    if (event.type === 'end') {
      yield chunk({}, null, event.finishReason);
      if (includeUsage) yield { ...shared, choices: [], usage: event.usage };
      return;
    }
    let { logprobs } = event;
    if (event.parts.length === 0) yield chunk({ content: '' }, logprobs);
    for (const part of event.parts) {
      const delta =
        'call' in part ? { tool_calls: [{ index: calls++, ...toolCallField(part.call) }] } : { content: part.text };
      yield chunk(delta, logprobs);
      logprobs = null;
    }
  }
}
