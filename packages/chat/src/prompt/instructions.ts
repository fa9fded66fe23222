// Instructions that a template would not write are given to it with what the user says: nothing is lost, and nothing refused.
import type { ChatMessage } from '@quern/tokenizer';
import type { InstructionPlace } from '../format.ts';

const paragraphs = (...texts: readonly unknown[]): string => texts.filter(Boolean).join('\n\n');

export function withInstructions(place: InstructionPlace, messages: readonly ChatMessage[]): readonly ChatMessage[] {
  if (place === 'anywhere' || !messages.some(({ role }) => role === 'system')) return messages;
  const placed: ChatMessage[] = [];
  /** For the user message that comes next. */
  let waiting = '';
  const say = (message: ChatMessage): void => {
    if (waiting !== '' && message.role !== 'user') placed.push({ role: 'user', content: waiting });
    placed.push(message.role === 'user' ? { ...message, content: paragraphs(waiting, message.content) } : message);
    waiting = '';
  };
  for (const message of messages) {
    const last = placed.at(-1);
    if (message.role !== 'system') say(message);
    else if (place === 'first' && last === undefined) placed.push(message);
    // Two turns of the user in a row are more than many templates take, so it joins the one that is there.
    else if (last !== undefined && joins(last, placed.length))
      placed[placed.length - 1] = { ...last, content: paragraphs(last.content, message.content) };
    else waiting = paragraphs(waiting, message.content);
  }
  if (waiting !== '') placed.push({ role: 'user', content: waiting });
  return placed;
}

/** A system prompt at the very beginning, or what a user or a tool said. */
const joins = ({ role }: ChatMessage, count: number): boolean =>
  role === 'user' || role === 'tool' || (role === 'system' && count === 1);
