// A chat request in no API's words: each API brings its own here, and tells the events in its own again.

import type { ServerState } from '../endpoint.ts';
import { branchesOf, checkTask, type GenerationTask } from '../generate/generation.ts';
import type { GenerationRequest } from '../generate/generation-request.ts';
import type { ModelLease } from '../models/model-host.ts';
import type { RequestMessage, RequestTool } from './messages.ts';
import { chatPrompt } from './prompt.ts';
import { type ChatEvent, chatReply } from './reply.ts';

/** OpenAI's `tool_choice`, with the name of the one tool that must be called. */
export type ToolChoice = 'auto' | 'none' | 'required' | { readonly name: string };

export interface ChatRequest {
  /** In OpenAI's form, which the templates of models read. */
  readonly messages: readonly RequestMessage[];
  readonly tools?: readonly RequestTool[];
  /** Default `auto`. */
  readonly toolChoice?: ToolChoice;
  /** More variables for the template (`enable_thinking`). */
  readonly templateVariables?: Readonly<Record<string, unknown>>;
  /** How tokens are chosen, where the reply stops, what holds it: in the field names of OpenAI and llama-server. */
  readonly request: GenerationRequest;
  /** Undefined: until the model ends its turn or the context is full. */
  readonly maxTokens?: number;
  /** How many alternatives per token to report; undefined: no log probabilities. */
  readonly logProbs?: number;
}

export interface PreparedChat {
  readonly promptTokens: number;
  /** Starts `count` replies to the prompt, which is computed once. */
  replies(count: number): AsyncGenerator<ChatEvent>[];
}

/**
 * Everything that may be wrong with a request is found here, before the headers of a stream are out.
 * @throws ApiError 400
 */
export async function prepareChat(
  { model }: ModelLease,
  chat: ChatRequest,
  server: ServerState,
  signal: AbortSignal,
): Promise<PreparedChat> {
  const tools = chat.toolChoice !== 'none' && chat.tools?.length ? chat.tools : undefined;
  const { messages, templateVariables, request, maxTokens, logProbs } = chat;
  const prompt = chatPrompt(model, { messages, tools, extra: templateVariables });
  const task: GenerationTask = { model, prompt, request, maxTokens, logProbs, signal, onEnd: server.onGeneration };
  checkTask(task, 'messages');
  return {
    promptTokens: prompt.length,
    replies: (count) => branchesOf(task, count).map((branch) => chatReply(branch, tools !== undefined)),
  };
}
