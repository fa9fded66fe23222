// Ids of calls where the template does not take those that servers and clients make. They are numbered in their order, so that
// an earlier message reads the same in every later prompt.
import type { ChatMessage } from '@quern/tokenizer';
import { record } from '../tools.ts';

/** `short`: nine letters and digits. `named`: `functions.get_weather:0`. */
export function withIds(kind: 'short' | 'named', messages: readonly ChatMessage[]): ChatMessage[] {
  const numbered = new Map<string, string>();
  /** @param name undefined in a result */
  const idOf = (id: unknown, name?: unknown): unknown => {
    if (typeof id !== 'string' || (kind === 'short' && /^[A-Za-z0-9]{9}$/.test(id))) return id;
    const known = numbered.get(id);
    if (known !== undefined || (kind === 'named' && typeof name !== 'string')) return known ?? id;
    const { size } = numbered;
    const made = kind === 'named' ? `functions.${name}:${size}` : `call${String(size + 1).padStart(5, '0')}`;
    numbered.set(id, made);
    return made;
  };
  return messages.map((message) => ({
    ...message,
    ...(message.tool_call_id !== undefined && { tool_call_id: idOf(message.tool_call_id) }),
    ...(Array.isArray(message.tool_calls) && {
      tool_calls: message.tool_calls.map((call) =>
        record(call) ? { ...call, id: idOf(call.id, record(call.function)?.name) } : call,
      ),
    }),
  }));
}
