// What chats get that do not say it: whether to think and how much, and variables of the template. A request that says anything of
// thinking has said it: of the server's only a limit holds then.
import type { ChatRequest } from './chat.ts';

export type ChatDefaults = Pick<ChatRequest, 'thinking' | 'thinkingBudget' | 'reasoningEffort' | 'templateVariables'>;

export function withChatDefaults(chat: ChatRequest, defaults: ChatDefaults | undefined): ChatRequest {
  if (!defaults) return chat;
  const templateVariables = { ...defaults.templateVariables, ...chat.templateVariables };
  const { thinkingBudget: limit } = defaults;
  if (!saysThinking(chat)) return { ...chat, ...defaults, templateVariables };
  // It wins over a variable of the server's too, which templates would read first.
  if (chat.templateVariables?.enable_thinking === undefined) delete templateVariables.enable_thinking;
  return { ...chat, templateVariables, thinkingBudget: chat.thinkingBudget ?? (limit || undefined) };
}

const saysThinking = ({ thinking, thinkingBudget, reasoningEffort, templateVariables }: ChatRequest): boolean =>
  [thinking, thinkingBudget, reasoningEffort, templateVariables?.enable_thinking].some((said) => said !== undefined);
