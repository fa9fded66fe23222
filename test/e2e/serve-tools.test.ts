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
  additionalProperties: false,
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
  ])('%s is refused by name', async (_, body, param, message) => {
    const { error } = await ask(body);
    expect(error).toMatchObject({ param, message: expect.stringMatching(message) });
  });
});
