// A reply in the events of Anthropic's streams: a message of numbered blocks, each opened, filled and closed.

import type { ReplyEvent } from '@quern/chat';
import { BlankTexts } from '../chat/blank-texts.ts';
import type { ChatEvent } from '../chat/reply.ts';
import { sealThought } from '../chat/thought-seal.ts';
import { cancelled } from '../generate/generation.ts';
import { randomId } from '../random-id.ts';

export interface Usage {
  /** Of the prompt, what had to be computed. */
  readonly input_tokens: number;
  /** Nothing is charged for what is kept. */
  readonly cache_creation_input_tokens: 0;
  readonly cache_read_input_tokens: number;
  readonly output_tokens: number;
}

export type ContentBlock =
  | { type: 'text'; text: string }
  | { type: 'thinking'; thinking: string; signature: string }
  | { type: 'tool_use'; id: string; name: string; input: unknown };

export interface Message {
  readonly id: string;
  readonly type: 'message';
  readonly role: 'assistant';
  readonly model: string;
  readonly content: readonly ContentBlock[];
  readonly stop_reason: string | null;
  readonly stop_sequence: string | null;
  readonly usage: Usage & { readonly service_tier: 'standard' };
}

export type BlockDelta =
  | { type: 'text_delta'; text: string }
  | { type: 'thinking_delta'; thinking: string }
  | { type: 'signature_delta'; signature: string }
  | { type: 'input_json_delta'; partial_json: string };

export type MessageEvent =
  | { type: 'message_start'; message: Message }
  | { type: 'ping' }
  | { type: 'content_block_start'; index: number; content_block: ContentBlock }
  | { type: 'content_block_delta'; index: number; delta: BlockDelta }
  | { type: 'content_block_stop'; index: number }
  | { type: 'message_delta'; delta: Pick<Message, 'stop_reason' | 'stop_sequence'>; usage: Usage }
  | { type: 'message_stop' };

export interface MessageHead {
  readonly id: string;
  readonly model: string;
  readonly promptTokens: number;
  readonly maxTokens: number;
  /** Else a thought is nothing but its signature, which carries it. */
  readonly showsThinking: boolean;
}

/** @throws ApiError 503 when the generation was cancelled */
export async function* messageEvents(
  events: AsyncGenerator<ChatEvent>,
  head: MessageHead,
): AsyncGenerator<MessageEvent> {
  const blocks = new Blocks(head.showsThinking);
  const blanks = new BlankTexts();
  let begun = false;
  for await (const event of events) {
    // How much of the prompt was cached is known with the first token, and a message begins with it.
    if (!begun) {
      yield { type: 'message_start', message: emptyMessage(head, event.cost.cachedTokens) };
      yield { type: 'ping' };
      begun = true;
    }
    if (event.type === 'reply') {
      for (const part of blanks.filter(event.parts)) yield* blocks.part(part);
      continue;
    }
    yield* blocks.close();
    const { promptTokens, cachedTokens, completionTokens } = event.cost;
    yield {
      type: 'message_delta',
      delta: { stop_reason: stopReason(event, head), stop_sequence: event.stopText ?? null },
      usage: usage(promptTokens, cachedTokens, completionTokens),
    };
    yield { type: 'message_stop' };
    return;
  }
  throw cancelled();
}

const usage = (promptTokens: number, cachedTokens: number, outputTokens: number): Usage => ({
  input_tokens: promptTokens - cachedTokens,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: cachedTokens,
  output_tokens: outputTokens,
});

const emptyMessage = ({ id, model, promptTokens }: MessageHead, cachedTokens: number): Message => ({
  id,
  type: 'message',
  role: 'assistant',
  model,
  content: [],
  stop_reason: null,
  stop_sequence: null,
  usage: { ...usage(promptTokens, cachedTokens, 0), service_tier: 'standard' },
});

function stopReason({ stopText, finishReason, cost }: Extract<ChatEvent, { type: 'end' }>, head: MessageHead): string {
  if (stopText !== undefined) return 'stop_sequence';
  if (finishReason === 'tool_calls') return 'tool_use';
  if (finishReason === 'stop') return 'end_turn';
  return cost.completionTokens < head.maxTokens ? 'model_context_window_exceeded' : 'max_tokens';
}

class Blocks {
  readonly #showsThinking: boolean;
  #index = -1;
  #open: ContentBlock['type'] | undefined;
  #thought = '';

  constructor(showsThinking: boolean) {
    this.#showsThinking = showsThinking;
  }

  *part(part: ReplyEvent): Generator<MessageEvent> {
    switch (part.type) {
      case 'reasoning':
        if (this.#open !== 'thinking') yield* this.#start({ type: 'thinking', thinking: '', signature: '' });
        this.#thought += part.text;
        if (this.#showsThinking) yield this.#delta({ type: 'thinking_delta', thinking: part.text });
        return;
      case 'content':
        if (this.#open !== 'text') yield* this.#start({ type: 'text', text: '' });
        yield this.#delta({ type: 'text_delta', text: part.text });
        return;
      case 'call': {
        const id = randomId('toolu_');
        yield* this.#start({ type: 'tool_use', id, name: part.name, input: {} });
        return;
      }
      case 'arguments':
        yield this.#delta({ type: 'input_json_delta', partial_json: part.text });
    }
  }

  *#start(block: ContentBlock): Generator<MessageEvent> {
    yield* this.close();
    this.#open = block.type;
    yield { type: 'content_block_start', index: ++this.#index, content_block: block };
  }

  #delta(delta: BlockDelta): MessageEvent {
    return { type: 'content_block_delta', index: this.#index, delta };
  }

  *close(): Generator<MessageEvent> {
    if (this.#open === undefined) return;
    if (this.#open === 'thinking') {
      yield this.#delta({ type: 'signature_delta', signature: sealThought(this.#thought, !this.#showsThinking) });
      this.#thought = '';
    }
    yield { type: 'content_block_stop', index: this.#index };
    this.#open = undefined;
  }
}
