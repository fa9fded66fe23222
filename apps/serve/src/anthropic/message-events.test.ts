import { describe, expect, it } from 'vitest';
import type { ChatEvent } from '../chat/reply.ts';
import { openThought } from '../chat/thought-seal.ts';
import { type MessageEvent, messageEvents } from './message-events.ts';
import { wholeMessage } from './whole-message.ts';

type Part = Extract<ChatEvent, { type: 'reply' }>['parts'][number];
const cost = { promptTokens: 10, cachedTokens: 4, completionTokens: 7, promptMs: 1, generationMs: 1 };

async function* reply(
  parts: readonly Part[],
  finishReason: 'stop' | 'length' | 'tool_calls',
): AsyncGenerator<ChatEvent> {
  for (const part of parts) yield { type: 'reply', parts: [part], tokens: [], cost };
  yield { type: 'end', finishReason, cost };
}

const read = (parts: readonly Part[], showsThinking = true, finishReason: 'stop' | 'length' | 'tool_calls' = 'stop') =>
  messageEvents(reply(parts, finishReason), {
    id: 'msg_1',
    model: 'm',
    promptTokens: 10,
    maxTokens: 7,
    showsThinking,
  });

async function listed(events: AsyncGenerator<MessageEvent>): Promise<MessageEvent[]> {
  const all: MessageEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

const thinks: Part[] = [
  { type: 'reasoning', text: 'Let me ' },
  { type: 'reasoning', text: 'see.' },
  { type: 'content', text: '\n\n' },
  { type: 'content', text: 'Hello.' },
  { type: 'call', index: 0, name: 'f' },
  { type: 'arguments', index: 0, text: '{"a"' },
  { type: 'arguments', index: 0, text: ': 1}' },
  { type: 'content', text: '\n' },
  { type: 'call', index: 1, name: 'g' },
];

describe('messageEvents', () => {
  it('opens, fills and closes a block for each thought, text and call', async () => {
    const events = await listed(read(thinks));
    const line = (event: MessageEvent): string =>
      event.type === 'content_block_delta' ? `${event.index} ${event.delta.type}` : event.type;
    expect(events.map(line)).toEqual([
      ...['message_start', 'ping'],
      ...['content_block_start', '0 thinking_delta', '0 thinking_delta', '0 signature_delta', 'content_block_stop'],
      ...['content_block_start', '1 text_delta', 'content_block_stop'],
      ...['content_block_start', '2 input_json_delta', '2 input_json_delta', 'content_block_stop'],
      ...['content_block_start', 'content_block_stop'],
      ...['message_delta', 'message_stop'],
    ]);
    expect(events[0]).toMatchObject({ message: { usage: { input_tokens: 6, cache_read_input_tokens: 4 } } });
  });

  it('adds up to the message, whose thoughts open their signatures', async () => {
    const { content, stop_reason } = await wholeMessage(read(thinks, true, 'tool_calls'));
    expect(content).toEqual([
      { type: 'thinking', thinking: 'Let me see.', signature: expect.any(String) },
      { type: 'text', text: '\n\nHello.' },
      { type: 'tool_use', id: expect.any(String), name: 'f', input: { a: 1 } },
      { type: 'tool_use', id: expect.any(String), name: 'g', input: {} },
    ]);
    expect(stop_reason).toBe('tool_use');
    const [thought] = content as unknown as [{ thinking: string; signature: string }];
    expect(openThought(thought.thinking, thought.signature, 'p')).toBe('Let me see.');
  });

  it('leaves thoughts that are not shown to their signatures', async () => {
    const { content } = await wholeMessage(read(thinks, false));
    const [thought] = content as unknown as [{ thinking: string; signature: string }];
    expect(thought.thinking).toBe('');
    expect(openThought('', thought.signature, 'p')).toBe('Let me see.');
  });

  it('gives what can be told of a call that was cut', async () => {
    const cut: Part[] = [
      { type: 'call', index: 0, name: 'f' },
      { type: 'arguments', index: 0, text: '{"city": "Par' },
    ];
    const message = await wholeMessage(read(cut, true, 'length'));
    expect(message).toMatchObject({ stop_reason: 'max_tokens', content: [{ input: { city: 'Par' } }] });
  });

  it('fails when the generation ends without an end', async () => {
    const none = messageEvents((async function* () {})(), {
      id: 'msg_1',
      model: 'm',
      promptTokens: 1,
      maxTokens: 1,
      showsThinking: true,
    });
    await expect(wholeMessage(none)).rejects.toMatchObject({ status: 503 });
  });
});
