// Anthropic's own SDK against a real server: texts and calls are those that transformers generates greedily, whole and streamed.
import Anthropic, { APIError, BadRequestError, NotFoundError } from '@anthropic-ai/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectedChats, neverEnding, startTestServer, type TestServer } from './serve-fixture.ts';

let server: TestServer;
let client: Anthropic;
beforeAll(async () => {
  server = await startTestServer({ strictModel: true });
  await server.ready;
  client = new Anthropic({ baseURL: server.url, apiKey: 'any', maxRetries: 0 });
});
afterAll(() => server.close());

type Params = Anthropic.MessageCreateParamsNonStreaming;
const [france, fox, weather, sunny] = expectedChats;
const base = { model: 'tiny-llama', max_tokens: 96, temperature: 0 };
const hello: Params['messages'] = [{ role: 'user', content: 'What is the capital of France?' }];
const tools: Params['tools'] = [
  {
    name: 'get_weather',
    input_schema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
];
const askWeather: Params['messages'] = [{ role: 'user', content: 'What is the weather in Paris?' }];

/** Fields that the SDK does not know. */
const create = (body: object) => client.messages.create({ ...base, messages: hello, ...body } as Params);

async function failure(body: object): Promise<APIError> {
  const error = await create(body).then(
    () => undefined,
    (cause: unknown) => cause,
  );
  expect(error).toBeInstanceOf(APIError);
  return error as APIError;
}

describe('POST /v1/messages', () => {
  it('has the shape that Anthropic documents', async () => {
    const { data, request_id } = await client.messages.create({ ...base, messages: hello }).withResponse();
    expect(data).toMatchObject({
      id: expect.stringMatching(/^msg_[0-9a-f]{32}$/),
      type: 'message',
      role: 'assistant',
      model: 'tiny-llama',
      content: [{ type: 'text', text: 'The capital of France is Paris.' }],
      stop_reason: 'end_turn',
      stop_sequence: null,
    });
    const { input_tokens, cache_read_input_tokens, cache_creation_input_tokens, output_tokens } = data.usage;
    expect(input_tokens + cache_read_input_tokens!).toBe(france!.ids.length);
    expect(cache_creation_input_tokens).toBe(0);
    expect(output_tokens).toBe(france!.greedy_ids.length);
    expect(request_id).toMatch(/^req_/);
  });

  it('renders system prompts, texts and blocks to the same prompt', async () => {
    const [system, ...messages] = fox!.messages;
    const asBlocks = messages.map(({ role, content }) => ({ role, content: [{ type: 'text', text: content }] }));
    const blocks = [{ type: 'text', text: system!.content, cache_control: { type: 'ephemeral' } }];
    for (const body of [
      { system: system!.content, messages },
      { system: blocks, messages: asBlocks },
    ]) {
      const reply = await create({ ...body, max_tokens: 300 });
      expect(reply.usage.input_tokens + reply.usage.cache_read_input_tokens!).toBe(fox!.ids.length);
      expect(reply.content).toEqual([{ type: 'text', text: fox!.greedy_text.replace(/<\|im_end\|>$/, '') }]);
    }
  });

  it('calls tools and takes their results, in every form of a result', async () => {
    const reply = await create({ messages: askWeather, tools });
    expect(reply.stop_reason).toBe('tool_use');
    expect(reply.content).toEqual([
      {
        type: 'tool_use',
        id: expect.stringMatching(/^toolu_[0-9a-f]{32}$/),
        name: 'get_weather',
        input: { city: 'Paris' },
      },
    ]);
    const { id } = reply.content[0] as Anthropic.ToolUseBlock;
    const result = sunny!.messages.at(-1)!.content;
    for (const content of [result, [{ type: 'text', text: result }]]) {
      const messages = [
        ...askWeather,
        { role: 'assistant', content: reply.content },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: id, content }] },
      ];
      const answer = await create({ messages, tools });
      expect(answer.usage.input_tokens + answer.usage.cache_read_input_tokens!).toBe(sunny!.ids.length);
      expect(answer.content).toEqual([{ type: 'text', text: sunny!.greedy_text.replace(/<\|im_end\|>$/, '') }]);
    }
  });

  it('tells the model that a tool failed', async () => {
    const messages = (is_error: boolean, content: string) => [
      ...askWeather,
      { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_1', name: 'get_weather', input: {} }] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', is_error, content }] },
    ];
    const count = async (body: object) =>
      (await client.messages.countTokens({ model: 'tiny-llama', tools, ...body } as never)).input_tokens;
    expect(await count({ messages: messages(true, 'no such city') })).toBe(
      await count({ messages: messages(false, 'Error: no such city') }),
    );
  });

  it('joins turns of one role', async () => {
    const together = await create({ messages: [{ role: 'user', content: 'What is the capital\nof France?' }] });
    const apart = await create({
      messages: [
        { role: 'user', content: 'What is the capital' },
        { role: 'user', content: [{ type: 'text', text: 'of France?' }] },
      ],
    });
    expect(apart.content).toEqual(together.content);
  });

  it('goes on with a reply that was begun', async () => {
    const reply = await create({ messages: [...hello, { role: 'assistant', content: 'The capital of' }] });
    expect(reply.content).toEqual([{ type: 'text', text: ' France is Paris.' }]);
  });

  it('stops at a stop sequence and says which', async () => {
    const reply = await create({ stop_sequences: ['nowhere', ' is'] });
    expect(reply).toMatchObject({ stop_reason: 'stop_sequence', stop_sequence: ' is' });
    expect(reply.content).toEqual([{ type: 'text', text: 'The capital of France' }]);
  });

  it('tells a reply that met max_tokens from one that met the end of the context', async () => {
    expect(await create({ max_tokens: 3 })).toMatchObject({ stop_reason: 'max_tokens', usage: { output_tokens: 3 } });
    const short = await startTestServer({ model: { contextTokens: 64 } });
    try {
      await short.ready;
      const near = new Anthropic({ baseURL: short.url, apiKey: 'any', maxRetries: 0 });
      const body = { ...base, messages: hello, max_tokens: 4096, ...neverEnding };
      expect(await near.messages.create(body as Params)).toMatchObject({
        stop_reason: 'model_context_window_exceeded',
      });
      const long = [{ role: 'user' as const, content: 'one two three four '.repeat(60) }];
      const error = await near.messages.create({ ...base, messages: long }).catch((cause: unknown) => cause);
      expect(error).toBeInstanceOf(BadRequestError);
      expect((error as APIError).message).toMatch(/has \d+ tokens.*64 tokens/);
    } finally {
      await short.close();
    }
  });

  it('holds a reply to a schema, in both places that it may stand at', async () => {
    const schema = {
      type: 'object',
      properties: { city: { enum: ['Paris', 'Rome'] } },
      required: ['city'],
    };
    const format = { type: 'json_schema', schema };
    for (const body of [{ output_config: { format } }, { output_format: format }]) {
      const reply = await create({ ...body, temperature: 1 });
      const { text } = reply.content[0] as Anthropic.TextBlock;
      expect(['Paris', 'Rome']).toContain(JSON.parse(text).city);
    }
    const error = await failure({
      output_config: { format: { type: 'json_schema', schema: { type: 'array', uniqueItems: true } } },
    });
    expect(error.status).toBe(400);
    expect(error.message).toMatch(/output_config\.format: .*uniqueItems/);
  });

  it('draws the same text for the same seed and fields of the sampler', async () => {
    const body = { temperature: 1, top_k: 3, top_p: 0.9, seed: 7, max_tokens: 24 };
    const [one, two] = [await create(body), await create(body)];
    expect(two.content).toEqual(one.content);
    const [sure, plain] = [await create({ temperature: 1, top_k: 1 }), await create({})];
    expect(sure.content).toEqual(plain.content);
  });
});

describe('a stream of /v1/messages', () => {
  const bodies: [string, object][] = [
    ['a text', { messages: hello }],
    ['a call', { messages: askWeather, tools }],
    ['a stop sequence', { messages: hello, stop_sequences: [' is'] }],
    ['a reply that is cut', { messages: hello, max_tokens: 3 }],
  ];
  it.each(bodies)('ends as the same message as without streaming: %s', async (_, body) => {
    const whole = await create(body);
    const stream = client.messages.stream({ ...base, messages: hello, ...body });
    const final = await stream.finalMessage();
    const comparable = ({ content, stop_reason, stop_sequence, usage }: Anthropic.Message) => ({
      content: content.map((block) => ({ ...block, ...('id' in block ? { id: 'toolu' } : {}) })),
      stop_reason,
      stop_sequence,
      input: usage.input_tokens + usage.cache_read_input_tokens!,
      output: usage.output_tokens,
    });
    expect(comparable(final)).toEqual(comparable(whole));
  });

  it('has the events that Anthropic documents, in their order', async () => {
    const events = [];
    for await (const event of await client.messages.create({ ...base, messages: hello, stream: true }))
      events.push(event);
    const { message } = events[0] as Anthropic.RawMessageStartEvent;
    expect(message.content).toEqual([]);
    expect(message.usage.input_tokens + message.usage.cache_read_input_tokens!).toBe(france!.ids.length);
    expect(events.map(({ type }) => type).filter((type, at, all) => type !== all[at - 1])).toEqual([
      'message_start',
      'content_block_start',
      'content_block_delta',
      'content_block_stop',
      'message_delta',
      'message_stop',
    ]);
    expect(events[1]).toEqual({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } });
    expect(events.at(-2)).toMatchObject({
      delta: { stop_reason: 'end_turn', stop_sequence: null },
      usage: { output_tokens: france!.greedy_ids.length },
    });
    expect(events.filter(({ type }) => type === 'content_block_delta').length).toBeGreaterThan(4);
  });

  it('streams the input of a call as JSON in pieces', async () => {
    const events = [];
    for await (const event of await client.messages.create({ ...base, messages: askWeather, tools, stream: true }))
      events.push(event);
    const start = events.find(({ type }) => type === 'content_block_start') as Anthropic.RawContentBlockStartEvent;
    expect(start.content_block).toMatchObject({ type: 'tool_use', name: 'get_weather', input: {} });
    const json = events.flatMap((event) =>
      event.type === 'content_block_delta' && event.delta.type === 'input_json_delta' ? [event.delta.partial_json] : [],
    );
    const call = /<tool_call>\n?(.*?)\n?<\/tool_call>/s.exec(weather!.greedy_text)!;
    expect(JSON.parse(json.join(''))).toEqual(JSON.parse(call[1]!).arguments);
  });

  it('writes each event under its own name', async () => {
    const response = await server.post('/v1/messages?beta=true', { ...base, messages: hello, stream: true });
    expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
    expect(response.headers.get('request-id')).toMatch(/^req_/);
    for (const event of (await response.text()).split('\n\n').filter(Boolean)) {
      const [, name, data] = /^event: (\w+)\ndata: (.*)$/.exec(event)!;
      expect(JSON.parse(data!).type).toBe(name);
    }
  });
});

describe('POST /v1/messages/count_tokens', () => {
  it('counts what a message would be asked with', async () => {
    const { input_tokens } = await client.messages.countTokens({ model: 'tiny-llama', messages: hello });
    expect(input_tokens).toBe(france!.ids.length);
    const withTools = await client.messages.countTokens({ model: 'tiny-llama', messages: askWeather, tools });
    expect(withTools.input_tokens).toBe(weather!.ids.length);
  });

  it('counts beyond the context', async () => {
    const long = [{ role: 'user' as const, content: 'one two three four '.repeat(2000) }];
    const { input_tokens } = await client.messages.countTokens({ model: 'tiny-llama', messages: long });
    expect(input_tokens).toBeGreaterThan(8000);
  });
});

describe('failures in Anthropic’s form', () => {
  const image = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } };
  const refused: [string, object, RegExp][] = [
    ['no max_tokens', { max_tokens: undefined }, /^max_tokens: /],
    ['an image', { messages: [{ role: 'user', content: [image] }] }, /^messages\.0\.content\.0.*"image"/],
    [
      'an image in a result',
      { messages: [{ role: 'user', content: [{ type: 'tool_result', tool_use_id: 'x', content: [image] }] }] },
      /^messages\.0\.content\.0\.content\.0.*"image"/,
    ],
    [
      'a result of no call',
      { messages: [{ role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_x', content: 'y' }] }] },
      /^messages\.0\.content\.0\.tool_use_id: .*toolu_x/,
    ],
    [
      'calls without results',
      {
        messages: [...hello, { role: 'assistant', content: [{ type: 'tool_use', id: 'x', name: 'f', input: {} }] }],
      },
      /^messages: .*results/,
    ],
    ['a begun reply of nothing', { messages: [...hello, { role: 'assistant', content: ' ' }] }, /^messages: /],
    [
      'a tool of Anthropic’s',
      { tools: [{ type: 'web_search_20250305', name: 'web_search' }] },
      /^tools\.0\.type: .*web_search_20250305/,
    ],
    ['a choice of no tool', { tools, tool_choice: { type: 'tool', name: 'get_time' } }, /^tool_choice: .*get_time/],
    ['a call without tools', { tool_choice: { type: 'any' } }, /^tool_choice: /],
    ['MCP servers', { mcp_servers: [{ type: 'url', url: 'https://example.com', name: 'x' }] }, /^mcp_servers: /],
    ['OpenAI’s stop', { stop: ['x'] }, /^stop: .*stop_sequences/],
    ['a field of vLLM', { truncate_prompt_tokens: 5 }, /^truncate_prompt_tokens: /],
    ['a field of llama-server', { n_predict: 5 }, /^n_predict: /],
    ['a wrong value of a field of vLLM', { bad_words: [5] }, /^bad_words\.0: /],
    ['another one', { allowed_token_ids: 5 }, /^allowed_token_ids: /],
    ['several replies', { n: 2 }, /^n: /],
    [
      'an edit that cuts the prompt',
      { context_management: { edits: [{ type: 'clear_tool_uses_20250919' }] } },
      /^context_management\.edits\.0\.type: .*clear_tool_uses/,
    ],
    [
      'a thought that was changed',
      {
        messages: [
          ...hello,
          { role: 'assistant', content: [{ type: 'thinking', thinking: 'hm', signature: 'quern1.AAAA' }] },
          ...hello,
        ],
      },
      /^messages\.1\.content\.0\.signature: /,
    ],
  ];
  it.each(refused)('%s: 400', async (_, body, message) => {
    const error = await failure(body);
    expect(error).toBeInstanceOf(BadRequestError);
    expect(error.error).toMatchObject({
      type: 'error',
      error: { type: 'invalid_request_error', message: expect.stringMatching(message) },
      request_id: error.requestID,
    });
  });

  it('another model: 404', async () => {
    const error = await failure({ model: 'claude-nine' });
    expect(error).toBeInstanceOf(NotFoundError);
    expect(error.error).toMatchObject({ error: { type: 'not_found_error' } });
  });

  it('a body that is no JSON: 400', async () => {
    const response = await server.post('/v1/messages', '{"messages": [}');
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ type: 'error', error: { type: 'invalid_request_error' } });
  });

  it('a failure inside a stream is thrown by the SDK', async () => {
    const doomed = await startTestServer();
    try {
      const { engine } = await doomed.ready;
      const near = new Anthropic({ baseURL: doomed.url, apiKey: 'any', maxRetries: 0 });
      const body = { ...base, messages: hello, max_tokens: 1500, ...neverEnding, stream: true as const };
      const stream = await near.messages.create(body);
      const read = (async () => {
        for await (const event of stream)
          if (event.type === 'content_block_delta') await engine.close({ cancel: true });
      })();
      await expect(read).rejects.toThrow();
    } finally {
      await doomed.close();
    }
  });
});
