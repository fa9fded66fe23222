// A chat request in no API's words: each API brings its own here, and tells the events in its own again.

import { ApiError } from '../api-error.ts';
import type { ServerState } from '../endpoint.ts';
import { branchesOf, checkTask, type GenerationTask } from '../generate/generation.ts';
import type { GenerationRequest } from '../generate/generation-request.ts';
import type { ModelLease } from '../models/model-host.ts';
import type { ServedModel } from '../models/served-model.ts';
import { encodePrompt, encodeText } from '../text/encode-text.ts';
import type { RequestMessage, RequestTool } from './messages.ts';
import { chatText, type PromptEnding } from './prompt.ts';
import { type ChatEvent, chatReply } from './reply.ts';

/** OpenAI's `tool_choice`, with the name of the one tool that must be called. */
export type ToolChoice = 'auto' | 'none' | 'required' | { readonly name: string };

export interface ChatRequest {
  /** In OpenAI's form, which the templates of models read. */
  readonly messages: readonly RequestMessage[];
  readonly tools?: readonly RequestTool[];
  /** Default `auto`. */
  readonly toolChoice?: ToolChoice;
  /** Whether one reply may call several times. Default: yes. */
  readonly parallelToolCalls?: boolean;
  /** Whether the model may think before it answers. Undefined: as its template does. */
  readonly thinking?: boolean;
  /** Most tokens of thinking; 0: none. A model that does not think keeps to any. */
  readonly thinkingBudget?: number;
  /** How hard to think, for models whose templates ask for it; others pass over it. */
  readonly reasoningEffort?: string;
  /** More variables for the template (`enable_thinking`). */
  readonly templateVariables?: Readonly<Record<string, unknown>>;
  /** Default `opened`. */
  readonly ending?: PromptEnding;
  /** Add BOS where the model wants it, though the template is the authority on it. */
  readonly addSpecial?: boolean;
  /** How tokens are chosen, where the reply stops, what holds it: in the field names of OpenAI and llama-server. */
  readonly request: GenerationRequest;
  /** Undefined: until the model ends its turn or the context is full. */
  readonly maxTokens?: number;
  /** How many alternatives per token to report; undefined: no log probabilities. */
  readonly logProbs?: number;
}

export interface PreparedChat {
  readonly promptTokens: number;
  readonly prompt: Int32Array;
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
  refuseUnheld(chat, model);
  const { request, maxTokens, logProbs } = chat;
  const tools = offeredTools(chat);
  const text = await textOf(chat, model, signal);
  const tokens = templateTokens(chat);
  const prompt = await encodePrompt(model, text, tokens, { param: 'messages', signal });
  const task: GenerationTask = { model, prompt, request, maxTokens, logProbs, signal, onEnd: server.onGeneration };
  await checkTask(task, 'messages');
  return {
    promptTokens: prompt.length,
    prompt,
    replies: (count) => branchesOf(task, count).map((branch) => chatReply(branch, tools !== undefined)),
  };
}

/** How many tokens the prompt of a chat has, however many that are. @throws ApiError 400 */
export async function countChatTokens({ model }: ModelLease, chat: ChatRequest, signal: AbortSignal): Promise<number> {
  return (await encodeText(model, await textOf(chat, model, signal), templateTokens(chat), signal)).length;
}

/** The text that the messages become. @throws ApiError 400 */
export const renderedChat = ({ model }: ModelLease, chat: ChatRequest, signal: AbortSignal): Promise<string> =>
  textOf(chat, model, signal);

/** The template writes special tokens, BOS included, unless the request wants them once more. */
const templateTokens = ({ addSpecial = false }: ChatRequest) => ({ parseSpecial: true, addSpecial });

const offeredTools = ({ toolChoice, tools }: ChatRequest): readonly RequestTool[] | undefined =>
  toolChoice !== 'none' && tools?.length ? tools : undefined;

function textOf(chat: ChatRequest, model: ServedModel, signal: AbortSignal): Promise<string> {
  const { messages, thinking, reasoningEffort, templateVariables, ending } = chat;
  const extra = {
    ...(thinking === undefined ? {} : { enable_thinking: thinking }),
    ...(reasoningEffort === undefined ? {} : { reasoning_effort: reasoningEffort }),
    ...templateVariables,
  };
  return chatText(model, { messages, tools: offeredTools(chat), extra, ending }, signal);
}

/** @throws ApiError 400 for wishes that a reply cannot be held to */
function refuseUnheld(chat: ChatRequest, { tokenizer }: ServedModel): void {
  const { toolChoice = 'auto', parallelToolCalls, thinkingBudget } = chat;
  if (toolChoice !== 'auto' && toolChoice !== 'none')
    throw unheld('A tool call cannot be forced; use "auto" or "none".', 'tool_choice');
  if (parallelToolCalls === false && offeredTools(chat))
    throw unheld('A reply cannot be held to one tool call.', 'parallel_tool_calls');
  if (thinkingBudget !== undefined && tokenizer.chatTemplate?.includes('think'))
    throw unheld('The thinking of this model has no limit.', 'thinking_budget');
}

const unheld = (message: string, param: string): ApiError =>
  new ApiError(400, 'unsupported_parameter', message, { param });
