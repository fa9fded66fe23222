// POST /v1/chat/completions: the model's chat template renders messages and tools; the reply comes back whole or as
// server-sent events, taken apart into reasoning, content and tool calls by the model's own format.

import type { ReplyEvent } from '@quern/chat';
import type { TokenEvent } from '@quern/engine';
import { z } from 'zod';
import { ApiError } from '../api-error.ts';
import { type ChatRequest, prepareChat } from '../chat/chat.ts';
import { messageShape, toolShape } from '../chat/messages.ts';
import type { PromptEnding } from '../chat/prompt.ts';
import type { ChatEvent } from '../chat/reply.ts';
import { type WholeReply, wholeReply } from '../chat/whole-reply.ts';
import { type Endpoint, withModel } from '../endpoint.ts';
import { costOfAll, type ReplyCost } from '../generate/cost.ts';
import { lengthFields, maxTokensOf } from '../generate/ending-fields.ts';
import { generationFields, readRequest } from '../generate/generation-request.ts';
import { interleave } from '../generate/interleave.ts';
import { anyObject, isFilled, longListOf, templateVariables } from '../large-shapes.ts';
import type { ModelLease } from '../models/model-host.ts';
import type { ServedModel } from '../models/served-model.ts';
import { randomId } from '../random-id.ts';
import { respond } from '../respond.ts';
import { openAiStream } from '../stream-form.ts';
import { type Extras, extraFields, extrasOf } from './extras.ts';
import { createdSeconds, fingerprint, responseId, usage } from './response-fields.ts';
import { chatLogProbs } from './token-log-probs.ts';

export const chatShape = z.looseObject({
  ...generationFields,
  ...lengthFields,
  ...extraFields,
  messages: longListOf(messageShape).refine(isFilled, 'expected one message at least'),
  tools: longListOf(toolShape).nullish(),
  tool_choice: z
    .union(
      [
        // "any" is Mistral's word for it.
        z.enum(['auto', 'none', 'required', 'any']).transform((choice) => (choice === 'any' ? 'required' : choice)),
        z.looseObject({ type: z.literal('function'), function: z.looseObject({ name: z.string() }) }),
      ],
      'expected "auto", "none", "required" or {"type": "function", "function": {"name"}}',
    )
    .nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  reasoning_effort: z.enum(['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max']).nullish(),
  /** llama-server's: most tokens of thinking; 0: none, -1: no limit. */
  thinking_budget_tokens: z.int().min(-1).nullish(),
  reasoning_budget: z.int().min(-1).nullish(),
  chat_template_kwargs: templateVariables.nullish(),
  /** vLLM's: how the prompt ends. */
  add_generation_prompt: z.boolean().nullish(),
  continue_final_message: z.boolean().nullish(),
  add_special_tokens: z.boolean().nullish(),
  documents: longListOf(anyObject).nullish(),
  logprobs: z.boolean().nullish(),
  top_logprobs: z.int().min(0).max(20).nullish(),
});

export const chatCompletions: Endpoint = {
  method: 'POST',
  path: '/v1/chat/completions',
  aliases: ['/chat/completions'],
  async handle(context, server) {
    const request = await readRequest(context, chatShape);
    const stream = request.stream ? openAiStream : undefined;
    const reply = async (lease: ModelLease): Promise<Response> => {
      const chat = await prepareChat(lease, chatOf(request), server, context.req.raw.signal);
      const form = {
        model: lease.model,
        head: { id: responseId('chatcmpl'), created: createdSeconds(), model: lease.model.id, ...fingerprint },
        showsLogProbs: request.logprobs ?? false,
        tokensAsIds: request.return_tokens_as_token_ids ?? false,
        includeUsage: request.stream_options?.include_usage ?? false,
        extras: extrasOf(request, chat.prompt),
      };
      const replies = () => chat.replies(request.n ?? 1);
      const answer = { chunks: () => chunks(replies(), form), whole: () => whole(replies(), form) };
      return respond(server, lease, answer, stream);
    };
    return withModel(context, server, request.model, reply, stream);
  },
};

export function chatOf(request: z.infer<typeof chatShape>): ChatRequest {
  const { documents, top_logprobs: top } = request;
  if (top && !request.logprobs)
    throw new ApiError(400, 'invalid_value', 'top_logprobs needs logprobs: true.', { param: 'top_logprobs' });
  if (!request.use_beam_search && (request.best_of ?? 1) > (request.n ?? 1)) {
    const message = 'best_of: replies of a chat are compared by a beam search alone; give use_beam_search: true too.';
    throw new ApiError(400, 'invalid_value', message, { param: 'best_of' });
  }
  return {
    messages: request.messages,
    tools: request.tools ?? undefined,
    toolChoice: typeof request.tool_choice === 'object' ? request.tool_choice?.function : request.tool_choice,
    parallelToolCalls: request.parallel_tool_calls ?? undefined,
    reasoningEffort: request.reasoning_effort ?? undefined,
    thinkingBudget: thinkingBudgetOf(request),
    templateVariables: { ...request.chat_template_kwargs, ...(documents && { documents }) },
    ending: endingOf(request),
    addSpecial: request.add_special_tokens ?? false,
    request,
    maxTokens: maxTokensOf(request),
    ...(request.logprobs ? { logProbs: top ?? 0 } : {}),
  };
}

function thinkingBudgetOf(request: z.infer<typeof chatShape>): number | undefined {
  const budget = request.thinking_budget_tokens ?? request.reasoning_budget ?? -1;
  return budget < 0 ? undefined : budget;
}

/** How the prompt ends: vLLM has fields of the request for it, Mistral and DeepSeek mark the message that is to be continued. */
function endingOf(request: z.infer<typeof chatShape>): PromptEnding {
  const { add_generation_prompt: opens, continue_final_message: continues, messages } = request;
  const marked = messages.findIndex((message) => message.role === 'assistant' && message.prefix);
  if (marked >= 0 && marked < messages.length - 1) {
    const param = `messages.${marked}.prefix`;
    throw new ApiError(400, 'invalid_value', `${param}: only the last message can be continued.`, { param });
  }
  if (opens && (continues || marked >= 0)) {
    const param = continues ? 'continue_final_message' : `messages.${marked}.prefix`;
    throw new ApiError(400, 'invalid_value', `add_generation_prompt and ${param} exclude each other.`, { param });
  }
  return continues || marked >= 0 ? 'continued' : opens === false ? 'closed' : 'opened';
}

interface Form {
  readonly model: ServedModel;
  readonly head: { readonly id: string; readonly created: number; readonly model: string };
  readonly showsLogProbs: boolean;
  readonly tokensAsIds: boolean;
  readonly includeUsage: boolean;
  readonly extras: Extras;
}

const newCall = (name: string, args: string) => ({
  id: randomId('call_'),
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
    ...form.extras.prompt(),
    ...form.extras.timings(costOfAll(replies.map(({ end }) => end.cost))),
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
  const logprobs =
    form.showsLogProbs && tokens.length > 0 ? chatLogProbs(form.model.tokenizer, tokens, form.tokensAsIds) : null;
  return { index, message, logprobs, finish_reason: end.finishReason, ...form.extras.choice(tokens, end) };
}

async function* chunks(replies: readonly AsyncGenerator<ChatEvent>[], form: Form): AsyncGenerator<unknown> {
  const { head, showsLogProbs, includeUsage, model, extras } = form;
  const shared = { ...head, object: 'chat.completion.chunk', ...(includeUsage ? { usage: null } : {}) };
  // A stream does this for each token: what has nothing to add is not copied.
  const chunk = (index: number, delta: object, more?: object, beside?: object) => {
    const plain = { index, delta, logprobs: null, finish_reason: null };
    const all = { ...shared, choices: [more ? { ...plain, ...more } : plain] };
    return beside ? { ...all, ...beside } : all;
  };
  const tellOf = (tokens: readonly TokenEvent[]): object | undefined => {
    const extra = extras.choice(tokens);
    if (!showsLogProbs || tokens.length === 0) return extra;
    return { logprobs: chatLogProbs(model.tokenizer, tokens, form.tokensAsIds), ...extra };
  };
  for (const index of replies.keys())
    yield chunk(index, { role: 'assistant', content: null }, undefined, { ...extras.prompt(), ...extras.opening() });
  const costs: ReplyCost[] = [];
  for await (const { index, value: event } of interleave(replies)) {
    if (event.type === 'end') {
      const ending = { finish_reason: event.finishReason, ...extras.choice([], event) };
      const timings = includeUsage ? undefined : extras.timings(event.cost);
      yield chunk(index, {}, ending, { ...extras.progress(event.cost), ...timings });
      costs.push(event.cost);
      continue;
    }
    let more = tellOf(event.tokens);
    // What a token says may come later than the token: then only what is told of it goes out.
    const deltas = event.parts.length === 0 && more ? [{ content: '' }] : event.parts.map(deltaOf);
    for (const delta of deltas) {
      yield chunk(index, delta, more, extras.progress(event.cost));
      more = undefined;
    }
  }
  if (!includeUsage) return;
  const cost = costOfAll(costs);
  yield { ...shared, choices: [], usage: usage(cost), ...extras.timings(cost) };
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
