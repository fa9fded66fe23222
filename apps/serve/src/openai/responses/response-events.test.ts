import { describe, expect, it } from 'vitest';
import { ApiError } from '../../api-error.ts';
import type { ChatEvent } from '../../chat/reply.ts';
import { openThought } from '../../chat/thought-seal.ts';
import type { ResponseEvent } from './response-events.ts';
import { ResponseEvents } from './response-events.ts';
import type { ResponseObject } from './response-object.ts';

type Part = Extract<ChatEvent, { type: 'reply' }>['parts'][number];
const cost = { promptTokens: 10, cachedTokens: 4, completionTokens: 7, promptMs: 1, generationMs: 1 };

async function* reply(parts: readonly Part[], finishReason: 'stop' | 'length'): AsyncGenerator<ChatEvent> {
  for (const part of parts) yield { type: 'reply', parts: [part], tokens: [], cost };
  yield { type: 'end', finishReason, cost };
}

const eventsOf = ({ summarizes = false, seals = false } = {}): ResponseEvents =>
  new ResponseEvents({
    head: { id: 'resp_1', object: 'response', created_at: 0, model: 'm', previous_response_id: null },
    tokenizer: undefined as never,
    showsLogProbs: false,
    tools: new Map(),
    ...{ summarizes, seals },
  });

async function read(
  parts: readonly Part[],
  { summarizes = false, seals = false, finishReason = 'stop' as 'stop' | 'length' } = {},
) {
  const events: ResponseEvent[] = [];
  let response: ResponseObject | undefined;
  const stream = eventsOf({ summarizes, seals });
  for await (const event of stream.read(reply(parts, finishReason), (ended) => (response = ended))) events.push(event);
  return { events, response: response! };
}

const thinks: Part[] = [
  { type: 'reasoning', text: 'Let me ' },
  { type: 'reasoning', text: 'see.' },
  { type: 'content', text: 'Hello.' },
  { type: 'content', text: '\n' },
  { type: 'call', index: 0, name: 'f' },
  { type: 'arguments', index: 0, text: '{}' },
  { type: 'call', index: 1, name: 'f' },
  { type: 'arguments', index: 1, text: '{}' },
];

describe('ResponseEvents', () => {
  it.each([
    { summarizes: false, part: 'content_part', text: 'reasoning_text' },
    { summarizes: true, part: 'reasoning_summary_part', text: 'reasoning_summary_text' },
  ])('tells reasoning as $text', async ({ summarizes, part, text }) => {
    const { events } = await read(thinks, { summarizes });
    const ofReasoning = events.filter((event) => event.output_index === 0).map(({ type }) => type);
    expect(ofReasoning).toEqual([
      'response.output_item.added',
      `response.${part}.added`,
      `response.${text}.delta`,
      `response.${text}.delta`,
      `response.${text}.done`,
      `response.${part}.done`,
      'response.output_item.done',
    ]);
  });

  it('makes an item of each thought, text and call, equal in events and response', async () => {
    const { events, response } = await read(thinks);
    expect(response.output.map(({ type }) => type)).toEqual(['reasoning', 'message', 'function_call', 'function_call']);
    const done = events.filter(({ type }) => type === 'response.output_item.done');
    expect(done.map(({ item }) => item)).toEqual(response.output);
    expect(events.at(-1)).toMatchObject({ type: 'response.completed', response });
    expect(events.map(({ sequence_number }) => sequence_number)).toEqual([...events.keys()]);
  });

  it.each([true, false])('seals a thought that clients give back (as its summary: %s)', async (summarizes) => {
    const { response } = await read(thinks, { summarizes, seals: true });
    const [thought] = response.output as unknown as [{ encrypted_content: string }];
    expect(openThought(undefined, thought.encrypted_content, 'p')).toBe('Let me see.');
    const [open] = (await read(thinks)).response.output as unknown as [{ encrypted_content: null }];
    expect(open.encrypted_content).toBeNull();
  });

  it('that fail end with the output that was told, the item that was being made included', async () => {
    const stream = eventsOf();
    const deltas: string[] = [];
    for await (const event of stream.read(reply(thinks.slice(0, 3), 'stop'), () => {})) {
      // As a server that stops in the middle: nothing more is read.
      if (event.type === 'response.output_text.delta') {
        deltas.push(event.delta as string);
        break;
      }
    }
    const { output, status } = stream.failed(new ApiError(503, 'gone', 'It is gone.')).response as ResponseObject;
    expect(status).toBe('failed');
    expect(output).toMatchObject([
      { type: 'reasoning', status: 'completed', content: [{ text: 'Let me see.' }] },
      { type: 'message', status: 'incomplete', content: [{ text: deltas.join('') }] },
    ]);
  });

  it('says which item was cut', async () => {
    const { events, response } = await read(thinks.slice(0, 6), { finishReason: 'length' });
    expect(response.output.map(({ status }) => status)).toEqual(['completed', 'completed', 'incomplete']);
    expect(events.at(-1)!.type).toBe('response.incomplete');
  });
});
