// A chat request in no API's words: each API brings its own here, and tells the events in its own again.

import { ApiError } from '../api-error.ts';
import type { ServerState } from '../endpoint.ts';
import { branchesOf, checkTask, type GenerationTask } from '../generate/generation.ts';
import type { GenerationRequest } from '../generate/generation-request.ts';
import { checkConstraint } from '../generate/grammar-request.ts';
import type { ModelLease } from '../models/model-host.ts';
import type { ServedModel } from '../models/served-model.ts';
import { encodePrompt, encodeText } from '../text/encode-text.ts';
import { withChatDefaults } from './chat-defaults.ts';
import { chatConstraint } from './constraint.ts';
import type { RequestMessage, RequestTool } from './messages.ts';
import { chatPrompt, isThinkingOff, type PromptEnding } from './prompt.ts';
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
  /** Tokens of earlier turns, which the messages follow; a model's own opening is in them. */
  readonly before?: readonly number[];
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
  asked: ChatRequest,
  server: ServerState,
  signal: AbortSignal,
): Promise<PreparedChat> {
  const chat = withChatDefaults(asked, model.defaults.chat);
  const { request, maxTokens, logProbs, parallelToolCalls: parallel } = chat;
  const thinkingBudget = isThinkingOff(chat) ? 0 : chat.thinkingBudget;
  const tools = offeredTools(chat);
  const { text, reasoningOpen } = await chatPrompt(model, chat, tools, signal);
  const prompt = behind(
    chat.before,
    await encodePrompt(model, text, templateTokens(chat), { param: 'messages', signal }),
    model.tokenizer.bos,
  );
  const constraint = chatConstraint(chat, tools ?? [], model, { reasoningOpen, mayReason: thinkingBudget !== 0 });
  const task: GenerationTask = {
    ...{ model, prompt, request, maxTokens, logProbs, signal, constraint },
    shown: model.chat.marks,
    ...(thinkingBudget === 0 && { forbidden: openingOf(model) }),
    onEnd: server.onGeneration,
  };
  await checkTask(task, 'messages');
  const answerConstraint = chatConstraint(chat, tools ?? [], model, { reasoningOpen: false, mayReason: false });
  // Otherwise the engine would compile it, when the budget is spent.
  if (thinkingBudget) await checkConstraint(answerConstraint, model, signal);
  const form = { tools, reasoningOpen, parallel, thinkingBudget, answerConstraint };
  return {
    promptTokens: prompt.length,
    prompt,
    replies: (count) => branchesOf(task, count).map((branch) => chatReply(branch, form)),
  };
}

/** The tokens of a chat's prompt, however many they are. @throws ApiError 400 */
export async function chatTokens({ model }: ModelLease, asked: ChatRequest, signal: AbortSignal): Promise<Int32Array> {
  const chat = withChatDefaults(asked, model.defaults.chat);
  const { text } = await chatPrompt(model, chat, offeredTools(chat), signal);
  return encodeText(model, text, templateTokens(chat), signal);
}

/** A text begins once. */
function behind(before: readonly number[] | undefined, tokens: Int32Array, bos: number | undefined): Int32Array {
  if (!before?.length) return tokens;
  return Int32Array.from([...before, ...(tokens[0] === bos ? tokens.subarray(1) : tokens)]);
}

/** How many they are. @throws ApiError 400 */
export const countChatTokens = async (lease: ModelLease, chat: ChatRequest, signal: AbortSignal): Promise<number> =>
  (await chatTokens(lease, chat, signal)).length;

/** The text that the messages become. @throws ApiError 400 */
export async function renderedChat({ model }: ModelLease, asked: ChatRequest, signal: AbortSignal): Promise<string> {
  const chat = withChatDefaults(asked, model.defaults.chat);
  return (await chatPrompt(model, chat, offeredTools(chat), signal)).text;
}

/** What would begin a thought that may not be. */
const openingOf = ({ chat: { format } }: ServedModel): readonly string[] =>
  [format.reasoning?.open.trim() ?? ''].filter(Boolean);

/** The template writes special tokens, BOS included, unless the request wants them once more. */
const templateTokens = ({ addSpecial = false }: ChatRequest) => ({ parseSpecial: true, addSpecial });

/** @throws ApiError 400 `invalid_value` for two of one name: nobody could tell whose call it is */
function offeredTools({ toolChoice, tools }: ChatRequest): readonly RequestTool[] | undefined {
  if (toolChoice === 'none' || !tools?.length) return undefined;
  const names = tools.map((tool) => tool.function.name);
  const seen = new Set<string>();
  const twice = names.find((name) => seen.size === seen.add(name).size);
  if (twice === undefined) return tools;
  throw new ApiError(400, 'invalid_value', `tools: two are called "${twice}".`, { param: 'tools' });
}
