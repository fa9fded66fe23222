// POST /v1/chat/completions: the model's chat template renders messages and tools; the reply comes back whole or as
// server-sent events. `<tool_call>` blocks of the reply become `tool_calls` when the request offers tools.
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { messageShape, toolShape } from '../chat-messages.ts';
import { chatPrompt } from '../chat-prompt.ts';
import { type ChatEvent, chatReply } from '../chat-reply.ts';
import { type Endpoint, requestedModel } from '../endpoint.ts';
import { branchesOf, cancelled, checkTask, type GenerationTask } from '../generation.ts';
import { generationFields, readRequest } from '../generation-request.ts';
import { interleave } from '../interleave.ts';
import { respond } from '../respond.ts';
import { createdSeconds, responseId, type Usage, usageOfAll } from '../response-fields.ts';
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
    const replies = () => branchesOf(task, request.n ?? 1).map((branch) => chatReply(branch, tools !== undefined));
    const answer = {
      chunks: () => chunks(replies(), prompt.length, head, includeUsage),
      whole: () => whole(replies(), prompt.length, head),
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

async function whole(
  replies: readonly AsyncGenerator<ChatEvent>[],
  promptTokens: number,
  head: Head,
): Promise<unknown> {
  const read = await Promise.all(replies.map(readChoice));
  const choices = read.map(({ choice }) => choice);
  return {
    ...head,
    object: 'chat.completion',
    choices,
    usage: usageOfAll(
      promptTokens,
      read.map(({ usage }) => usage),
    ),
  };
}

async function readChoice(reply: AsyncGenerator<ChatEvent>, index: number): Promise<{ choice: object; usage: Usage }> {
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
      index,
      message,
      logprobs: logprobs.length > 0 ? { content: logprobs, refusal: null } : null,
      finish_reason: event.finishReason,
    };
    return { choice, usage: event.usage };
  }
  throw cancelled();
}

async function* chunks(
  replies: readonly AsyncGenerator<ChatEvent>[],
  promptTokens: number,
  head: Head,
  includeUsage: boolean,
): AsyncGenerator<unknown> {
  const shared = { ...head, object: 'chat.completion.chunk', ...(includeUsage ? { usage: null } : {}) };
  const chunk = (index: number, delta: object, logprobs: object | null = null, finishReason: string | null = null) => ({
    ...shared,
    choices: [{ index, delta, logprobs, finish_reason: finishReason }],
  });
  for (const index of replies.keys()) yield chunk(index, { role: 'assistant', content: null });
  const calls = replies.map(() => 0);
  const usages: Usage[] = [];
  for await (const { index, value: event } of interleave(replies)) {
    if (event.type === 'end') {
      yield chunk(index, {}, null, event.finishReason);
      usages.push(event.usage);
      continue;
    }
    let { logprobs } = event;
    if (event.parts.length === 0) yield chunk(index, { content: '' }, logprobs);
    for (const part of event.parts) {
      const delta =
        'call' in part
          ? { tool_calls: [{ index: calls[index]!++, ...toolCallField(part.call) }] }
          : { content: part.text };
      yield chunk(index, delta, logprobs);
      logprobs = null;
    }
  }
  if (includeUsage) yield { ...shared, choices: [], usage: usageOfAll(promptTokens, usages) };
}
