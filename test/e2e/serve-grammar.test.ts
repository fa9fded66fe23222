// Replies held to a grammar, through a real server. What comes back is judged by another program (ajv), not by ours.
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { neverEnding, startTestServer, type TestServer } from './serve-fixture.ts';

const messages = [{ role: 'user', content: 'Hello!' }];
const chat = '/v1/chat/completions';
let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ model: { contextTokens: 512 } });
  await server.ready;
});
afterAll(() => server.close());

const contentOf = async (body: object): Promise<{ content: string; finish: string }> => {
  const reply = await (await server.post(chat, { messages, ...body })).json();
  return { content: reply.choices[0].message.content, finish: reply.choices[0].finish_reason };
};

const schema = {
  type: 'object',
  properties: {
    name: { type: 'string', maxLength: 12 },
    kind: { enum: ['cat', 'dog'] },
    ages: { type: 'array', items: { type: 'integer', minimum: 0, maximum: 120 }, minItems: 1, maxItems: 3 },
  },
  required: ['name', 'kind', 'ages'],
};

describe('chat', () => {
  it('response_format json_schema: every reply is valid, whatever the model would say', async () => {
    const validate = new Ajv2020().compile(schema);
    for (const seed of [1, 2, 3]) {
      const format = { type: 'json_schema', json_schema: { name: 'pet', strict: true, schema } };
      const { content, finish } = await contentOf({ response_format: format, temperature: 1.5, seed });
      expect(finish).toBe('stop');
      expect(validate(JSON.parse(content)), content).toBe(true);
    }
  });

  it('streamed, it is the same', async () => {
    const body = { messages, json_schema: schema, seed: 7 };
    const whole = await contentOf(body);
    const response = await server.post(chat, { ...body, stream: true });
    const chunks = (await response.text()).split('\n\n').filter((line) => line.startsWith('data: {'));
    const streamed = chunks.map((line) => JSON.parse(line.slice(6)).choices[0].delta.content ?? '').join('');
    expect(streamed).toBe(whole.content);
  });

  it('grammar: GBNF, also where the model may not end its turn', async () => {
    const grammar = 'root ::= ("yes" | "no") " " [a-c]{2}';
    const { content, finish } = await contentOf({ grammar, ...neverEnding });
    expect(content).toMatch(/^(yes|no) [abc]{2}$/);
    expect(finish).toBe('stop');
  });

  it('response_format json_object', async () => {
    const body = { response_format: { type: 'json_object' }, seed: 1, max_tokens: 300, logit_bias: { 64: 0 } };
    const { content, finish } = await contentOf(body);
    if (finish === 'stop') expect(JSON.parse(content)).toBeTypeOf('object');
    else expect(content).toMatch(/^\s*\{/);
  });

  it('a lazy grammar leaves the reply free until its trigger', async () => {
    const free = await contentOf({ seed: 5, max_tokens: 12 });
    const grammar = 'root ::= "<never>" [0-9]';
    const triggers = [{ type: 1, value: '<never>' }];
    const lazy = await contentOf({ seed: 5, max_tokens: 12, grammar, grammar_lazy: true, grammar_triggers: triggers });
    expect(lazy).toEqual(free);
  });

  it('a pattern may be the trigger, of a part of the text or of all of it', async () => {
    const body = { seed: 5, grammar: 'root ::= [^<] "yes"', grammar_lazy: true };
    for (const trigger of [
      { type: 2, value: '([^])' },
      { type: 3, value: '[^]' },
    ]) {
      const { content, finish } = await contentOf({ ...body, grammar_triggers: [trigger] });
      expect(content).toMatch(/^[^<]yes$/u);
      expect(finish).toBe('stop');
    }
  });

  it('a schema beside its type, without an object around it', async () => {
    const body = { messages, response_format: { type: 'json_schema', schema: { enum: ['a', 'b'] } } };
    const reply = await (await server.post(chat, body)).json();
    expect(['"a"', '"b"']).toContain(reply.choices[0].message.content.trim());
  });

  it('text completions too', async () => {
    const body = { prompt: 'Once', grammar: 'root ::= "a" | "b"' };
    const reply = await (await server.post('/v1/completions', body)).json();
    expect(reply.choices[0].text).toMatch(/^[ab]$/);
  });
});

describe('what cannot be enforced is 400, before anything is computed', () => {
  const format = (inner: unknown) => ({ response_format: { type: 'json_schema', json_schema: { schema: inner } } });
  it.each([
    [{ grammar: 'root ::= "a' }, 'grammar', /line 1/],
    [{ grammar: 'root ::= root "a"' }, 'grammar', /begins with itself/],
    [{ grammar: 'root ::= <[99999]>' }, 'grammar', /no token 99999/],
    [{ json_schema: { properties: { a: { pattern: '(a)\\1' } } } }, 'json_schema', /pattern at #\/properties\/a/],
    [format({ type: 'array', uniqueItems: true }), 'response_format', /uniqueItems at #/],
    [format({ $ref: 'https://example.com/other.json' }), 'response_format', /\$ref at #/],
    [format({ type: 'string', minLength: 3, maxLength: 2 }), 'response_format', /No text satisfies/],
    [{ grammar: 'root ::= "a"', grammar_lazy: true }, 'grammar_triggers', /wait for/],
    [
      { grammar: 'root ::= "a"', grammar_lazy: true, grammar_triggers: [{ type: 1, value: 'b' }] },
      'grammar',
      /begins with "b"/,
    ],
    [{ grammar: 'root ::= "a"', json_schema: {} }, 'grammar', /give only one/],
    [{ response_format: { type: 'json_schema' } }, 'response_format', /expected the schema once/],
    [
      { response_format: { type: 'json_schema', schema: {}, json_schema: { schema: {} } } },
      'response_format',
      /expected the schema once/,
    ],
    [
      { response_format: { type: 'json_schema', schema: { uniqueItems: true } } },
      'response_format',
      /uniqueItems at #/,
    ],
  ])('%j', async (body, param, message) => {
    const response = await server.post(chat, { messages, ...body });
    expect(response.status).toBe(400);
    const { error } = await response.json();
    expect(error).toMatchObject({ param });
    expect(error.message).toMatch(message);
  });
});
