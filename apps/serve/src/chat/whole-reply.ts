// A whole reply, put together of the events that a stream is made of: the two cannot differ.
import type { TokenEvent } from '@quern/engine';
import { cancelled } from '../generate/generation.ts';
import type { ChatEvent } from './reply.ts';

export interface WholeCall {
  readonly name: string;
  /** JSON text. */
  arguments: string;
}

export interface WholeReply {
  readonly reasoning: string;
  readonly content: string;
  readonly calls: readonly WholeCall[];
  readonly tokens: readonly TokenEvent[];
  readonly end: Extract<ChatEvent, { type: 'end' }>;
}

/** @throws ApiError 503 when the generation was cancelled */
export async function wholeReply(events: AsyncGenerator<ChatEvent>): Promise<WholeReply> {
  let reasoning = '';
  let content = '';
  const calls: WholeCall[] = [];
  const tokens: TokenEvent[] = [];
  for await (const event of events) {
    if (event.type === 'end') return { reasoning, content, calls, tokens, end: event };
    tokens.push(...event.tokens);
    for (const part of event.parts) {
      if (part.type === 'reasoning') reasoning += part.text;
      else if (part.type === 'content') content += part.text;
      else if (part.type === 'call') calls[part.index] = { name: part.name, arguments: '' };
      else calls[part.index]!.arguments += part.text;
    }
  }
  throw cancelled();
}
