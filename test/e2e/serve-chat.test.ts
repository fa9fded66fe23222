// Chat completions against a real server: the text is transformers' own greedy text, streamed or not.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  endOfTurn,
  expectedChats,
  neverEnding,
  readEvents,
  startTestServer,
  type TestServer,
} from './serve-fixture.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  await server.ready;
});
afterAll(() => server.close());

const path = '/v1/chat/completions';
const hello = [{ role: 'user', content: 'What is the capital of France?' }];
const ask = async (body: object) => (await server.post(path, { messages: hello, ...body })).json();

describe('POST /v1/chat/completions', () => {
  it.each(expectedChats.map((chat, index) => ({ index, chat })))(
    'gives the greedy text that transformers gives (conversation $index)',
    async ({ chat }) => {
      const body = { messages: chat.messages, tools: chat.tools ?? undefined, temperature: 0 };
      const reply = await (await server.post(path, { ...body, max_tokens: 96 })).json();
      const [choice] = reply.choices;
      expect(reply.usage.prompt_tokens).toBe(chat.ids.length);
      expect(reply.usage.completion_tokens).toBe(chat.greedy_ids.length);
      const ended = chat.greedy_ids.at(-1) === endOfTurn;
      const expected = chat.greedy_text.replace(/<\|im_end\|>$/, '');
      const call = /<tool_call>\n?(.*?)\n?<\/tool_call>/s.exec(expected);
      if (call) {
        const { name, arguments: args } = JSON.parse(call[1]!);
        expect(choice.finish_reason).toBe('tool_calls');
        expect(choice.message.tool_calls).toHaveLength(1);
        expect(choice.message.tool_calls[0]).toMatchObject({ type: 'function', id: expect.stringMatching(/^call_/) });
        expect(choice.message.tool_calls[0].function.name).toBe(name);
        expect(JSON.parse(choice.message.tool_calls[0].function.arguments)).toEqual(args);
      } else {
        expect(choice.message.content).toBe(expected);
        expect(choice.finish_reason).toBe(ended ? 'stop' : 'length');
      }
    },
  );

  it('has the shape that OpenAI documents', async () => {
    const reply = await ask({ temperature: 0, model: 'tiny-llama' });
    expect(reply).toEqual({
      id: expect.stringMatching(/^chatcmpl-/),
      object: 'chat.completion',
      created: expect.any(Number),
      model: 'tiny-llama',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: 'The capital of France is Paris.', refusal: null },
          logprobs: null,
          finish_reason: 'stop',
        },
      ],
      usage: {
        prompt_tokens: 16,
        completion_tokens: 8,
        total_tokens: 24,
        prompt_tokens_details: { cached_tokens: expect.any(Number) },
      },
      ...{ system_fingerprint: expect.stringMatching(/^quern-/), timings: expect.objectContaining({ predicted_n: 8 }) },
    });
  });

  it('streams the same text in chunks of the documented shape', async () => {
    const response = await server.post(path, {
      messages: hello,
      temperature: 0,
      stream: true,
      stream_options: { include_usage: true },
    });
    expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
    const events = await readEvents(response);
    const last = events.pop();
    expect(last).toMatchObject({ choices: [], usage: { prompt_tokens: 16, completion_tokens: 8 } });
    expect(events[0].choices[0].delta).toEqual({ role: 'assistant', content: null });
    expect(events.at(-1).choices[0]).toEqual({ index: 0, delta: {}, logprobs: null, finish_reason: 'stop' });
    const text = events.map((event) => event.choices[0].delta.content ?? '').join('');
    expect(text).toBe('The capital of France is Paris.');
    expect(events.length).toBeGreaterThan(4);
    expect(new Set(events.map((event) => event.id))).toEqual(new Set([last.id]));
    for (const event of events) expect(event).toMatchObject({ object: 'chat.completion.chunk', usage: null });
  });

  it('streams tool calls by index', async () => {
    const chat = expectedChats.find(({ greedy_text }) => greedy_text.includes('<tool_call>'))!;
    const response = await server.post(path, {
      messages: chat.messages,
      tools: chat.tools,
      temperature: 0,
      stream: true,
    });
    const events = await readEvents(response);
    const calls = events.flatMap((event) => event.choices[0].delta.tool_calls ?? []);
    expect(calls[0]).toMatchObject({ index: 0, type: 'function', function: { name: expect.any(String) } });
    expect(new Set(calls.map(({ index }) => index))).toEqual(new Set([0]));
    const pieces = calls.map((call) => call.function.arguments ?? '');
    expect(() => JSON.parse(pieces.join(''))).not.toThrow();
    expect(events.at(-1).choices[0].finish_reason).toBe('tool_calls');
    expect(events.some((event) => event.choices[0].delta.content?.includes('<tool_call>'))).toBe(false);
  });

  it('leaves tools out with tool_choice none', async () => {
    const chat = expectedChats.find(({ tools }) => tools)!;
    const plain = await ask({ messages: chat.messages, temperature: 0, max_tokens: 1 });
    const none = await ask({
      messages: chat.messages,
      tools: chat.tools,
      tool_choice: 'none',
      temperature: 0,
      max_tokens: 1,
    });
    expect(none.usage.prompt_tokens).toBe(plain.usage.prompt_tokens);
  });

  it('repeats itself with the same seed and not with another', async () => {
    const body = { temperature: 1.5, max_tokens: 24, ...neverEnding };
    const texts = await Promise.all(
      [7, 7, 8].map(async (seed) => (await ask({ ...body, seed })).choices[0].message.content),
    );
    expect(texts[1]).toBe(texts[0]);
    expect(texts[2]).not.toBe(texts[0]);
  });

  it.each([
    ['a string', ' is'],
    ['the first of a list', ['nowhere', ' is', 'Paris']],
  ])('stops at %s, which is not part of the text', async (_, stop) => {
    const [choice] = (await ask({ temperature: 0, stop })).choices;
    expect(choice.message.content).toBe('The capital of France');
    expect(choice.finish_reason).toBe('stop');
    expect(server.records.at(-1)).toMatchObject({ finishReason: 'stop' });
  });

  it('ends at max_tokens and max_completion_tokens with reason length', async () => {
    for (const body of [{ max_tokens: 3 }, { max_completion_tokens: 3, max_tokens: 50 }]) {
      const reply = await ask({ temperature: 0, ...body });
      expect(reply.choices[0]).toMatchObject({ finish_reason: 'length', message: { content: 'The capital of' } });
      expect(reply.usage.completion_tokens).toBe(3);
    }
  });

  it('reports log probabilities that fit together', async () => {
    const reply = await ask({ temperature: 0, logprobs: true, top_logprobs: 3 });
    const { content } = reply.choices[0].logprobs;
    expect(content.map(({ token }: { token: string }) => token).join('')).toBe('The capital of France is Paris.');
    for (const { token, logprob, bytes, top_logprobs } of content) {
      expect(top_logprobs).toHaveLength(3);
      expect(top_logprobs[0]).toEqual({ token, logprob, bytes });
      expect(logprob).toBeLessThanOrEqual(0);
      expect(new TextDecoder().decode(Uint8Array.from(bytes))).toBe(token);
    }
  });

  it('takes content parts, developer messages and earlier tool calls', async () => {
    const reply = await ask({
      messages: [
        { role: 'developer', content: 'You are a helpful assistant.' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'What is the weather ' },
            { type: 'text', text: 'in Paris?' },
          ],
        },
        {
          role: 'assistant',
          content: null,
          tool_calls: [
            { id: 'call_1', type: 'function', function: { name: 'get_weather', arguments: '{"city":"Paris"}' } },
          ],
        },
        { role: 'tool', tool_call_id: 'call_1', content: 'sunny' },
      ],
      temperature: 0,
      max_tokens: 8,
    });
    expect(reply.choices[0].message.role).toBe('assistant');
  });

  it('answers several requests at once, each with its own text', async () => {
    const replies = await Promise.all(
      expectedChats.map(({ messages, tools }) =>
        ask({ messages, tools: tools ?? undefined, temperature: 0, max_tokens: 96 }),
      ),
    );
    for (const [index, { ids, greedy_ids }] of expectedChats.entries()) {
      expect(replies[index].usage).toMatchObject({ prompt_tokens: ids.length, completion_tokens: greedy_ids.length });
    }
    expect(replies[0].choices[0].message.content).toBe('The capital of France is Paris.');
  });
});
