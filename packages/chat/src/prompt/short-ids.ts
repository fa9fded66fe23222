// Ids of calls where the template takes none but nine letters and digits, and refuses all that servers and clients make. They are
// numbered in their order, so that an earlier message reads the same in every later prompt.
import type { ChatMessage } from '@quern/tokenizer';
import { record } from '../tools.ts';

export function withShortIds(messages: readonly ChatMessage[]): ChatMessage[] {
  const numbered = new Map<string, string>();
  const short = (id: unknown): unknown => {
    if (typeof id !== 'string' || /^[A-Za-z0-9]{9}$/.test(id)) return id;
    const known = numbered.get(id) ?? `call${String(numbered.size + 1).padStart(5, '0')}`;
    numbered.set(id, known);
    return known;
  };
  return messages.map((message) => ({
    ...message,
    ...(message.tool_call_id !== undefined && { tool_call_id: short(message.tool_call_id) }),
    ...(Array.isArray(message.tool_calls) && {
      tool_calls: message.tool_calls.map((call) => (record(call) ? { ...call, id: short(call.id) } : call)),
    }),
  }));
}
