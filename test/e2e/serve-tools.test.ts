// Calls that a request asks for, and schemas that hold them, against a real server. The model would rather answer.
import { Ajv } from 'ajv';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectedChats, readEvents, startTestServer, type TestServer } from './serve-fixture.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  await server.ready;
});
afterAll(() => server.close());

const parameters = {
  type: 'object',
  properties: { unit: { enum: ['celsius', 'fahrenheit'] }, days: { type: 'integer', minimum: 1, maximum: 9 } },
  required: ['unit', 'days'],
};
const tool = (name: string, schema: object = parameters) => ({
  type: 'function',
  function: { name, description: 'A forecast.', parameters: schema },
});
const tools = [tool('forecast'), tool('past_weather')];
const messages = [{ role: 'user', content: 'What is the capital of France?' }];
const path = '/v1/chat/completions';
const ask = async (body: object) =>
  (await server.post(path, { messages, tools, temperature: 0, max_tokens: 200, ...body })).json();

describe('tool_choice', () => {
  it('required gives calls whose arguments are valid, streamed as whole', async () => {
    const valid = new Ajv().compile(parameters);
    const body = { tool_choice: 'required', parallel_tool_calls: false };
    const [choice] = (await ask(body)).choices;
    expect(choice.finish_reason).toBe('tool_calls');
    expect(choice.message.content).toBeNull();
    expect(choice.message.tool_calls).toHaveLength(1);
    const [{ function: called }] = choice.message.tool_calls;
    expect(['forecast', 'past_weather']).toContain(called.name);
    expect(valid(JSON.parse(called.arguments)), called.arguments).toBe(true);

    const response = await server.post(path, { messages, tools, temperature: 0, stream: true, ...body });
    const deltas = (await readEvents(response)).flatMap((event) => event.choices[0].delta.tool_calls ?? []);
    expect(deltas[0].function.name).toBe(called.name);
    expect(deltas.map((delta) => delta.function.arguments ?? '').join('')).toBe(called.arguments);
    expect(deltas.length).toBeGreaterThan(2);
    // Mistral's word for it.
    const [any] = (await ask({ ...body, tool_choice: 'any' })).choices;
    expect(any.message.tool_calls[0].function).toEqual(called);
  });

  it('the name of a tool gives a call of that tool', async () => {
    for (const name of ['past_weather', 'forecast']) {
      const [choice] = (await ask({ tool_choice: { type: 'function', function: { name } } })).choices;
      expect(
        new Set(choice.message.tool_calls.map((call: { function: { name: string } }) => call.function.name)),
      ).toEqual(new Set([name]));
    }
  });

  it('auto leaves the model its answer, and holds a call that it makes to the schema', async () => {
    const plain = await ask({ messages: [{ role: 'user', content: 'What is the capital of France?' }] });
    expect(plain.choices[0].message.tool_calls).toBeUndefined();
    const chat = expectedChats.find(({ greedy_text }) => greedy_text.includes('<tool_call>'))!;
    const [offered] = chat.tools as { function: { name: string } }[];
    const narrow = {
      type: 'object',
      properties: { zone: { const: 7 } },
      required: ['zone'],
      additionalProperties: false,
    };
    const narrowed = [{ type: 'function', function: { ...offered!.function, parameters: narrow } }];
    const [choice] = (await ask({ messages: chat.messages, tools: narrowed })).choices;
    for (const call of choice.message.tool_calls ?? [])
      expect(JSON.parse(call.function.arguments)).toEqual({ zone: 7 });
  });

  it('a schema of the answer holds where the model may also call', async () => {
    const schema = {
      type: 'object',
      properties: { a: { enum: [1, 2] } },
      required: ['a'],
      additionalProperties: false,
    };
    const body = { response_format: { type: 'json_schema', json_schema: { name: 'x', schema } } };
    const [choice] = (await ask({ ...body, tool_choice: 'none' })).choices;
    expect([1, 2]).toContain(JSON.parse(choice.message.content).a);
    const [either] = (await ask(body)).choices;
    if (!either.message.tool_calls) expect([1, 2]).toContain(JSON.parse(either.message.content).a);
  });
});

describe('a parameter that is required', () => {
  const chat = expectedChats.find(({ greedy_text }) => greedy_text.includes('<tool_call>'))!;
  const { name } = (chat.tools as { function: { name: string } }[])[0]!.function;
  const schema = {
    type: 'object',
    properties: {
      city: { type: 'string', maxLength: 12 },
      days: { type: 'integer', minimum: 1, maximum: 9 },
      note: { type: 'string', maxLength: 6 },
    },
    required: ['city', 'days'],
    additionalProperties: false,
  };
  const valid = new Ajv().compile(schema);
  const offered = [tool(name, schema)];
  const forms = ['auto', 'required', { type: 'function', function: { name } }];
  const call = (body: object) => ({
    messages: chat.messages,
    tools: offered,
    temperature: 0,
    max_tokens: 120,
    ...body,
  });
  const deltasOf = async (body: object) =>
    (await readEvents(await server.post(path, { ...call(body), stream: true }))).map(({ choices }) => choices[0]);
  /** Would end the arguments as soon as they are begun. */
  const endsEarly = async () => {
    const { tokenizer } = await server.ready;
    const ends = Array.from({ length: tokenizer.vocabSize }, (_, id) => id).filter((id) =>
      /^["\s]*\}+$/.test(tokenizer.piece(id)),
    );
    expect(ends.length).toBeGreaterThan(0);
    return { logit_bias: Object.fromEntries(ends.map((id) => [id, 50])) };
  };

  it.each(forms)('is never missing (tool_choice %j), which the model would leave out', async (tool_choice) => {
    // A bias would hold a free answer, too; without one the model leaves "days" out when nothing holds it.
    for (const bias of tool_choice === 'auto' ? [{}] : [{}, await endsEarly()]) {
      const body = { tool_choice, parallel_tool_calls: false, ...bias };
      const [choice] = (await (await server.post(path, call(body))).json()).choices;
      const text = choice.message.tool_calls[0].function.arguments;
      expect(valid(JSON.parse(text)), text).toBe(true);
      const streamed = (await deltasOf(body)).flatMap(({ delta }) => delta.tool_calls ?? []);
      expect(streamed.map((part) => part.function.arguments ?? '').join('')).toBe(text);
    }
  });

  it('is nothing that was not generated: a call that is cut before it stays without it', async () => {
    const whole = await deltasOf({ logprobs: true });
    const generated = whole.flatMap(({ logprobs }) => logprobs?.content ?? []).map(({ token }) => token);
    const text = whole
      .flatMap(({ delta }) => delta.tool_calls ?? [])
      .map((part) => part.function.arguments ?? '')
      .join('');
    expect(generated.join('')).toContain(text);
    for (let count = generated.length - 1; count > 0; count--) {
      const [choice] = (await (await server.post(path, call({ max_tokens: count }))).json()).choices;
      expect(choice.finish_reason).toBe('length');
      const cut = choice.message.tool_calls?.[0].function.arguments ?? '';
      expect(text.startsWith(cut), cut).toBe(true);
      expect(generated.slice(0, count).join('')).toContain(cut);
    }
  });

  it('holds and is cut so for Anthropic’s clients too', async () => {
    const ask = async (body: object) =>
      (
        await server.post('/v1/messages', {
          ...{ model: 'tiny-llama', messages: chat.messages, temperature: 0, max_tokens: 120 },
          ...{ tools: [{ name, input_schema: schema }], ...body },
        })
      ).json();
    for (const tool_choice of [{ type: 'auto' }, { type: 'any' }, { type: 'tool', name }]) {
      const { content } = await ask({ tool_choice: { ...tool_choice, disable_parallel_tool_use: true } });
      expect(content).toEqual([expect.objectContaining({ type: 'tool_use', name })]);
      expect(valid(content[0].input), JSON.stringify(content)).toBe(true);
    }
    const { content: whole, usage } = await ask({});
    for (let max_tokens = usage.output_tokens - 1; max_tokens > 0; max_tokens -= 3) {
      const { content, stop_reason } = await ask({ max_tokens });
      expect(stop_reason).toBe('max_tokens');
      const input = content.find(({ type }: { type: string }) => type === 'tool_use')?.input ?? {};
      // What is there was generated, as far as it came.
      for (const [key, value] of Object.entries(input))
        expect(`${whole[0].input[key]}`.startsWith(`${value}`), key).toBe(true);
    }
  });
});

describe('what a reply cannot be held to', () => {
  const unique = tool('odd', { type: 'object', properties: { list: { type: 'array', uniqueItems: true } } });
  it.each([
    ['a schema', { tools: [...tools, unique] }, 'tools', /odd.*uniqueItems/s],
    [
      'a tool that is not offered',
      { tool_choice: { type: 'function', function: { name: 'x' } } },
      'tool_choice',
      /"x"/,
    ],
    ['a call without tools', { tools: undefined, tool_choice: 'required' }, 'tool_choice', /no tools/],
    ['a call that is a grammar', { tool_choice: 'required', grammar: 'root ::= "a"' }, 'tool_choice', /grammar/],
    [
      'a choice that there is not',
      { tool_choice: 'always' },
      'tool_choice',
      /expected "auto", "none", "required" or \{/,
    ],
  ])('%s is refused by name', async (_, body, param, message) => {
    const { error } = await ask(body);
    expect(error).toMatchObject({ param, message: expect.stringMatching(message) });
  });
});
