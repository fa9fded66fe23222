// What a created model puts in front of a conversation: its system prompt, unless the request has one, and its messages.
import type { CreatedPart } from '../models/served-model.ts';
import type { TemplateMessage } from './messages.ts';

export function withOpening(
  created: CreatedPart | undefined,
  messages: readonly TemplateMessage[],
): readonly TemplateMessage[] {
  if (!created) return messages;
  const { system } = created.model;
  const isOwn = messages[0]?.role === 'system';
  const own = system === undefined ? [] : [{ role: 'system', content: system }];
  return [...(isOwn ? messages.slice(0, 1) : own), ...created.opening, ...(isOwn ? messages.slice(1) : messages)];
}
