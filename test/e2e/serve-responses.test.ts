// OpenAI's own client against /v1/responses of a real server: texts and calls are those that transformers generates
// greedily, whole, streamed and from one response to the next.
import OpenAI, { APIError, BadRequestError, NotFoundError } from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectedChats, neverEnding, startTestServer, type TestServer } from './serve-fixture.ts';

let server: TestServer;
let client: OpenAI;
beforeAll(async () => {
  server = await startTestServer({ strictModel: true });
  await server.ready;
  client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'any', maxRetries: 0 });
});
afterAll(() => server.close());

type Params = OpenAI.Responses.ResponseCreateParamsNonStreaming;
type Event = OpenAI.Responses.ResponseStreamEvent;
const [france, fox, weather, sunny] = expectedChats;
const base = { model: 'tiny-llama', temperature: 0, max_output_tokens: 300 };
const question = 'What is the capital of France?';
const paris = 'The capital of France is Paris.';
const tool = {
  type: 'function' as const,
  name: 'get_weather',
  parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  strict: null,
};
const textOf = ({ greedy_text }: { greedy_text: string }) => greedy_text.replace(/<\|im_end\|>$/, '');

/** Fields that the client does not know. */
const create = (body: object) => client.responses.create({ ...base, input: question, ...body } as Params);

async function eventsOf(body: object): Promise<Event[]> {
  const events: Event[] = [];
  const stream = await client.responses.create({ ...base, input: question, ...body, stream: true } as never);
  for await (const event of stream as unknown as AsyncIterable<Event>) events.push(event);
  return events;
}

async function failure(body: object): Promise<APIError> {
  const error = await create(body).then(
    () => undefined,
    (cause: unknown) => cause,
  );
  expect(error).toBeInstanceOf(APIError);
  return error as APIError;
}

describe('POST /v1/responses', () => {
  it('has the shape that OpenAI documents', async () => {
    const response = await create({ metadata: { topic: 'towns' } });
    expect(response).toMatchObject({
      id: expect.stringMatching(/^resp_[0-9a-f]{32}$/),
      object: 'response',
      status: 'completed',
      error: null,
      incomplete_details: null,
      model: 'tiny-llama',
      output_text: paris,
      output: [
        {
          id: expect.stringMatching(/^msg_/),
          type: 'message',
          role: 'assistant',
          status: 'completed',
          content: [{ type: 'output_text', text: paris, annotations: [], logprobs: [] }],
        },
      ],
      usage: {
        input_tokens: france!.ids.length,
        output_tokens: france!.greedy_ids.length,
        total_tokens: france!.ids.length + france!.greedy_ids.length,
        output_tokens_details: { reasoning_tokens: 0 },
      },
      metadata: { topic: 'towns' },
      temperature: 0,
      tool_choice: 'auto',
      tools: [],
      truncation: 'disabled',
      text: { format: { type: 'text' } },
    });
    expect(response.usage!.input_tokens_details.cached_tokens).toBeLessThan(france!.ids.length);
  });

  it('renders instructions and items of every form to the same prompt', async () => {
    const [system, ...turns] = fox!.messages;
    const parts = turns.map(({ role, content }) => ({
      type: 'message',
      role,
      content: [{ type: role === 'assistant' ? 'output_text' : 'input_text', text: content }],
    }));
    for (const body of [
      { instructions: system!.content, input: turns },
      { instructions: system!.content, input: parts },
      { input: [{ role: 'developer', content: system!.content }, ...turns] },
      { input: [{ type: 'message', role: 'system', content: system!.content }, ...parts] },
    ]) {
      const response = await create(body);
      expect(response.usage!.input_tokens).toBe(fox!.ids.length);
      expect(response.output_text).toBe(textOf(fox!));
    }
  });

  it('calls functions, and takes what they gave as a text or as parts', async () => {
    const call = await create({ input: 'What is the weather in Paris?', tools: [tool] });
    const [item] = call.output as OpenAI.Responses.ResponseFunctionToolCall[];
    expect(call.output).toEqual([
      {
        type: 'function_call',
        id: expect.stringMatching(/^fc_/),
        call_id: expect.stringMatching(/^call_/),
        name: 'get_weather',
        arguments: expect.any(String),
        status: 'completed',
      },
    ]);
    expect(JSON.parse(item!.arguments)).toEqual({ city: 'Paris' });
    const result = sunny!.messages.at(-1)!.content;
    for (const output of [result, [{ type: 'input_text', text: result }]]) {
      const last = { type: 'function_call_output', call_id: item!.call_id, output };
      const stateless = await create({
        input: [{ role: 'user', content: 'What is the weather in Paris?' }, item, last],
        tools: [tool],
        store: false,
      });
      const stateful = await create({ previous_response_id: call.id, input: [last], tools: [tool] });
      for (const response of [stateless, stateful]) {
        expect(response.usage!.input_tokens).toBe(sunny!.ids.length);
        expect(response.output_text).toBe(textOf(sunny!));
      }
    }
  });

  it('gives a custom tool its text, and keeps to its expression', async () => {
    const custom = {
      type: 'custom',
      name: 'get_weather',
      description: 'Takes a town.',
      format: { type: 'grammar', syntax: 'regex', definition: '(Paris|Rome)' },
    };
    const input = [
      { role: 'user', content: 'Where?' },
      { type: 'custom_tool_call', call_id: 'call_1', name: 'get_weather', input: 'Paris' },
      { type: 'custom_tool_call_output', call_id: 'call_1', output: 'sunny' },
    ];
    const response = await create({ input, tools: [custom] });
    expect(response.status).toBe('completed');
    expect(response.tools).toEqual([custom]);
  });

  it('is incomplete when it met its limit', async () => {
    const response = await create({ max_output_tokens: 3 });
    expect(response).toMatchObject({
      status: 'incomplete',
      incomplete_details: { reason: 'max_output_tokens' },
      output: [{ status: 'incomplete' }],
      usage: { output_tokens: 3 },
    });
  });

  it('holds a text to a schema, or refuses it by keyword', async () => {
    const schema = {
      type: 'object',
      properties: { city: { enum: ['Paris', 'Rome'] } },
      required: ['city'],
    };
    const format = { type: 'json_schema', name: 'town', schema, strict: true };
    const response = await create({ text: { format }, temperature: 1 });
    expect(['Paris', 'Rome']).toContain(JSON.parse(response.output_text).city);
    expect(response.text!.format).toEqual(format);
    const object = await create({ text: { format: { type: 'json_object' } }, temperature: 1 });
    expect(object.status === 'incomplete' || typeof JSON.parse(object.output_text) === 'object').toBe(true);
    const bad = { ...format, schema: { type: 'array', uniqueItems: true } };
    const error = await failure({ text: { format: bad } });
    expect(error).toMatchObject({
      status: 400,
      code: 'invalid_grammar',
      param: 'text.format',
      message: expect.stringMatching(/^(400 )?text\.format: .*uniqueItems/),
    });
  });

  it('tells log probabilities of the text when they are included', async () => {
    const response = await create({ include: ['message.output_text.logprobs'], top_logprobs: 2 });
    const [message] = response.output as OpenAI.Responses.ResponseOutputMessage[];
    const { logprobs } = message!.content[0] as OpenAI.Responses.ResponseOutputText;
    expect(logprobs!.map(({ token }) => token).join('')).toBe(paris);
    for (const { logprob, top_logprobs } of logprobs!) {
      expect(top_logprobs).toHaveLength(2);
      expect(top_logprobs[0]!.logprob).toBeCloseTo(logprob);
    }
  });

  it('counts tokens', async () => {
    const count = await client.responses.inputTokens.count({ model: 'tiny-llama', input: question });
    expect(count).toMatchObject({ object: 'response.input_tokens', input_tokens: france!.ids.length });
  });
});

describe('a stream of /v1/responses', () => {
  const bodies: [string, object][] = [
    ['a text', {}],
    ['a call', { input: 'What is the weather in Paris?', tools: [tool] }],
    ['a reply that is cut', { max_output_tokens: 3 }],
  ];
  it.each(bodies)('says the same as the response that ends it, and as one without streaming: %s', async (_, body) => {
    const events = await eventsOf(body);
    expect(events.map(({ sequence_number }) => sequence_number)).toEqual([...events.keys()]);
    const last = events.at(-1) as OpenAI.Responses.ResponseCompletedEvent;
    const { response } = last;
    expect(last.type).toBe(`response.${response.status}`);
    for (const event of events) if ('response' in event) expect(event.response.id).toBe(response.id);

    const done = events.filter((event) => event.type === 'response.output_item.done');
    expect(done.map(({ item }) => item)).toEqual(response.output);
    expect(done.map(({ output_index }) => output_index)).toEqual([...response.output.keys()]);
    for (const [index, item] of response.output.entries()) {
      const of = events.filter((event) => 'output_index' in event && event.output_index === index);
      expect(of[0]).toMatchObject({ type: 'response.output_item.added', item: { id: item.id, status: 'in_progress' } });
      for (const event of of) if ('item_id' in event) expect(event.item_id).toBe(item.id);
      const deltas = of.map((event) => ('delta' in event ? event.delta : '')).join('');
      if (item.type === 'message') expect((item.content[0] as { text: string }).text).toBe(deltas);
      if (item.type === 'function_call') expect(item.arguments).toBe(deltas);
    }

    const whole = await create(body);
    const comparable = ({ output, status, usage, incomplete_details }: OpenAI.Responses.Response) => ({
      output: output.map((item) => ({ ...item, id: '', ...('call_id' in item ? { call_id: '' } : {}) })),
      status,
      incomplete_details,
      tokens: [usage!.input_tokens, usage!.output_tokens],
    });
    expect(comparable(response)).toEqual(comparable(whole));
    expect(await client.responses.retrieve(response.id)).toMatchObject({ id: response.id, output: response.output });
  });

  it('has the events of a text in their order', async () => {
    const types = (await eventsOf({})).map(({ type }) => type);
    expect(types.filter((type, at) => type !== types[at - 1])).toEqual([
      'response.created',
      'response.in_progress',
      'response.output_item.added',
      'response.content_part.added',
      'response.output_text.delta',
      'response.output_text.done',
      'response.content_part.done',
      'response.output_item.done',
      'response.completed',
    ]);
  });

  it('has the events of a call in their order, which the client’s own helper reads', async () => {
    const body = { ...base, input: 'What is the weather in Paris?', tools: [tool] };
    const stream = client.responses.stream(body);
    const types: string[] = [];
    for await (const { type } of stream) types.push(type);
    expect(types.filter((type, at) => type !== types[at - 1])).toEqual([
      'response.created',
      'response.in_progress',
      'response.output_item.added',
      'response.function_call_arguments.delta',
      'response.function_call_arguments.done',
      'response.output_item.done',
      'response.completed',
    ]);
    const [call] = (await stream.finalResponse()).output;
    const expected = /<tool_call>\n?(.*?)\n?<\/tool_call>/s.exec(weather!.greedy_text)!;
    expect(JSON.parse((call as OpenAI.Responses.ResponseFunctionToolCall).arguments)).toEqual(
      JSON.parse(expected[1]!).arguments,
    );
  });

  it('ends with response.failed when the engine goes', async () => {
    const doomed = await startTestServer();
    try {
      const { engine } = await doomed.ready;
      const near = new OpenAI({ baseURL: `${doomed.url}/v1`, apiKey: 'any', maxRetries: 0 });
      const stream = await near.responses.create({
        model: 'tiny-llama',
        input: question,
        stream: true,
        ...neverEnding,
      });
      let last: Event | undefined;
      for await (const event of stream) {
        last = event;
        if (event.type === 'response.output_text.delta') await engine.close({ cancel: true });
      }
      expect(last).toMatchObject({
        type: 'response.failed',
        response: { status: 'failed', error: { code: 'server_error' } },
      });
    } finally {
      await doomed.close();
    }
  });
});

describe('responses that are kept', () => {
  it('are gone on from by their ids', async () => {
    const first = await create({ instructions: 'You are a helpful assistant.', input: 'Hi, I am Lily.' });
    const items = [
      { role: 'user', content: 'Hi, I am Lily.' },
      ...first.output,
      { role: 'user', content: 'Who am I?' },
    ];
    const stateless = await create({ instructions: 'Be brief.', input: items, store: false });
    const stateful = await create({ instructions: 'Be brief.', previous_response_id: first.id, input: 'Who am I?' });
    expect(stateful.previous_response_id).toBe(first.id);
    expect(stateful.usage!.input_tokens).toBe(stateless.usage!.input_tokens);
    expect(stateful.output_text).toBe(stateless.output_text);
    const third = await create({ previous_response_id: stateful.id, input: 'And I?' });
    const whole = [...items, ...stateful.output, { role: 'user', content: 'And I?' }];
    expect(third.usage!.input_tokens).toBe((await create({ input: whole })).usage!.input_tokens);
  });

  it('are read, listed and deleted', async () => {
    const input = ['one', 'two', 'three'].map((content) => ({ role: 'user', content }));
    const { id, output_text } = await create({ input, max_output_tokens: 4 });
    expect((await client.responses.retrieve(id)).output_text).toBe(output_text);
    const texts = async (query: object) => {
      const page = await client.responses.inputItems.list(id, query);
      return page.data.map((item) => (item as { content: { text: string }[] }).content[0]!.text);
    };
    expect(await texts({ order: 'asc' })).toEqual(['one', 'two', 'three']);
    expect(await texts({ limit: 2 })).toEqual(['three', 'two']);
    const all = [];
    for await (const item of client.responses.inputItems.list(id, { limit: 1, order: 'asc' })) all.push(item);
    expect(all).toHaveLength(3);
    await client.responses.delete(id);
    await expect(client.responses.retrieve(id)).rejects.toBeInstanceOf(NotFoundError);
    await expect(client.responses.delete(id)).rejects.toBeInstanceOf(NotFoundError);
    const error = await failure({ previous_response_id: id });
    expect(error).toMatchObject({ status: 400, code: 'previous_response_not_found', param: 'previous_response_id' });
  });

  it('are not kept with store: false', async () => {
    const { id, store } = (await create({ store: false })) as { id: string; store?: boolean };
    expect(store).toBe(false);
    await expect(client.responses.retrieve(id)).rejects.toBeInstanceOf(NotFoundError);
  });

  it('lend their items to references', async () => {
    const first = await create({ input: 'Hi, I am Lily.' });
    const ask = (item: object) =>
      create({ input: [{ role: 'user', content: 'Hi, I am Lily.' }, item, { role: 'user', content: 'Who am I?' }] });
    const { id } = first.output[0]!;
    for (const reference of [{ type: 'item_reference', id }, { id }]) {
      expect((await ask(reference)).usage!.input_tokens).toBe((await ask(first.output[0]!)).usage!.input_tokens);
    }
    const error = await failure({ input: [{ type: 'item_reference', id: 'msg_none' }] });
    expect(error).toMatchObject({ status: 400, param: 'input.0.id' });
  });
});

describe('what cannot be done is refused by name', () => {
  const image = { type: 'input_image', image_url: 'data:image/png;base64,AAAA', detail: 'auto' };
  const refused: [string, object, string][] = [
    ['a run in the background', { background: true }, 'background'],
    ['a conversation', { conversation: 'conv_1' }, 'conversation'],
    ['a stored prompt', { prompt: { id: 'pmpt_1' } }, 'prompt'],
    ['a prompt that may be cut', { truncation: 'auto' }, 'truncation'],
    ['a measure of words that is none', { text: { verbosity: 'loud' } }, 'text.verbosity'],
    ['chat’s messages', { messages: [] }, 'messages'],
    ['chat’s limit', { max_tokens: 5 }, 'max_tokens'],
    ['a wrong value of a field of vLLM', { bad_words: [5] }, 'bad_words.0'],
    ['another one', { allowed_token_ids: 5 }, 'allowed_token_ids'],
    ['several replies', { n: 2 }, 'n'],
    ['beams', { use_beam_search: true }, 'use_beam_search'],
    ['an image', { input: [{ role: 'user', content: [image] }] }, 'input.0.content.0'],
    [
      'an item of a tool that is not here',
      { input: [{ type: 'web_search_call', id: 'ws_1', status: 'completed' }] },
      'input.0',
    ],
    [
      'a result of no call',
      { input: [{ type: 'function_call_output', call_id: 'call_9', output: 'x' }] },
      'input.0.call_id',
    ],
    ['a choice of no tool', { tools: [tool], tool_choice: { type: 'function', name: 'get_time' } }, 'tool_choice'],
    ['a choice of OpenAI’s tool', { tools: [tool], tool_choice: { type: 'web_search' } }, 'tool_choice'],
    ['a call without tools', { tool_choice: 'required' }, 'tool_choice'],
    ['a tool without a name', { tools: [{ type: 'function' }] }, 'tools.0'],
    ['two tools of one name', { tools: [tool, tool] }, 'tools.1.name'],
    ['nothing to answer', { input: [] }, 'input'],
    ['an unknown include', { include: ['the.moon'] }, 'include.0'],
  ];
  it.each(refused)('%s: 400', async (_, body, param) => {
    const error = await failure(body);
    expect(error).toBeInstanceOf(BadRequestError);
    expect(error.param).toMatch(new RegExp(`^${param.replaceAll('.', '\\.')}(\\.type)?$`));
  });

  it('another model: 404', async () => {
    expect(await failure({ model: 'gpt-nine' })).toBeInstanceOf(NotFoundError);
  });
});
