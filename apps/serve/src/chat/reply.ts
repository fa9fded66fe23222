// A chat reply as events: its content and, when the request offered tools, the calls cut out of it.
import type { TokenEvent } from '@quern/engine';
import type { ReplyCost } from '../generate/cost.ts';
import { type FinishReason, type GenerationTask, generate } from '../generate/generation.ts';
import type { ReplyEvent, ReplyReader } from './reply-reader.ts';
import { ToolCallReader } from './tool-calls.ts';

/** `tokens` are those sampled since the last event; what they say may come later. */
export type ChatEvent =
  | { type: 'reply'; parts: readonly ReplyEvent[]; tokens: readonly TokenEvent[]; cost: ReplyCost }
  | {
      type: 'end';
      finishReason: FinishReason | 'tool_calls';
      /** The text of `stop` that ended it. */
      stopText?: string;
      /** The token of `stop_token_ids` that ended it. */
      stopToken?: number;
      cost: ReplyCost;
    };

const plainReader: ReplyReader = {
  push: (text) => (text ? [{ type: 'content', text }] : []),
  end: () => [],
};

export async function* chatReply(task: GenerationTask, offersTools: boolean): AsyncGenerator<ChatEvent> {
  const reader = offersTools ? new ToolCallReader() : plainReader;
  let called = false;
  for await (const event of generate(task)) {
    if (event.type === 'text') {
      const parts = reader.push(event.text);
      called ||= parts.some((part) => part.type === 'call');
      if (parts.length > 0 || event.tokens.length > 0)
        yield { type: 'reply', parts, tokens: event.tokens, cost: event.cost };
      continue;
    }
    const rest = reader.end();
    if (rest.length > 0) yield { type: 'reply', parts: rest, tokens: [], cost: event.cost };
    yield {
      type: 'end',
      finishReason: called && event.finishReason === 'stop' ? 'tool_calls' : event.finishReason,
      stopText: event.stopText,
      stopToken: event.stopToken,
      cost: event.cost,
    };
  }
}
