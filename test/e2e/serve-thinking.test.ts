// Reasoning against a real server: a template that opens it, and a model that would never end it.
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { neverEnding, readEvents, startTestServer, type TestServer, tinyLlama } from './serve-fixture.ts';

const template = `${readFileSync(`${tinyLlama}/chat_template.jinja`, 'utf8').trimEnd()}
{%- if add_generation_prompt %}{{ '<think>\\n</think>\\n' if thinking is defined and not thinking else '<think>\\n' }}{% endif %}`;

let server: TestServer;
beforeAll(async () => {
  const metadata = [['tokenizer.chat_template', { type: 'string', value: template }] as const];
  server = await startTestServer({ model: { override: { metadata, rope: {} } } });
  await server.ready;
});
afterAll(() => server.close());

const messages = [{ role: 'user', content: 'What is the capital of France?' }];
const body = { messages, temperature: 0, max_tokens: 40, ...neverEnding };
const ask = async (more: object) => (await server.post('/v1/chat/completions', { ...body, ...more })).json();

describe('reasoning', () => {
  it('comes apart from the content', async () => {
    const { choices, usage } = await ask({});
    expect(choices[0].message.reasoning_content).toMatch(/\w/);
    expect(choices[0].message.content).toBe('');
    expect(usage.completion_tokens_details.reasoning_tokens).toBe(usage.completion_tokens);
  });

  it('ends where its budget ends, streamed as whole', async () => {
    for (const field of ['thinking_budget_tokens', 'reasoning_budget']) {
      const { choices, usage } = await ask({ [field]: 6 });
      const { reasoning_content: reasoning, content } = choices[0].message;
      expect(usage.completion_tokens_details.reasoning_tokens).toBe(6);
      expect(usage.completion_tokens).toBe(40);
      expect(reasoning).toMatch(/\w/);
      expect(content).toMatch(/\w/);
      const events = await readEvents(await server.post('/v1/chat/completions', { ...body, [field]: 6, stream: true }));
      const said = (key: string) => events.map((event) => event.choices[0].delta[key] ?? '').join('');
      expect([said('reasoning_content'), said('content')]).toEqual([reasoning, content]);
    }
  });

  it.each([
    ['a budget of 0', { thinking_budget_tokens: 0 }],
    ['an effort of none', { reasoning_effort: 'none' }],
    [
      'enable_thinking, where the template knows another variable',
      { chat_template_kwargs: { enable_thinking: false } },
    ],
  ])('does not begin with %s', async (_, more) => {
    const { choices, usage } = await ask(more);
    expect(choices[0].message).not.toHaveProperty('reasoning_content');
    expect(choices[0].message.content).toMatch(/\w/);
    expect(usage.completion_tokens_details).toBeUndefined();
  });

  it('is free where the answer is held to a schema', async () => {
    const schema = {
      type: 'object',
      properties: { a: { enum: [1, 2] } },
      required: ['a'],
      additionalProperties: false,
    };
    const held = { response_format: { type: 'json_schema', json_schema: { name: 'x', schema } } };
    const { choices } = await ask({ ...held, thinking_budget_tokens: 5, logit_bias: {} });
    expect(choices[0].message.reasoning_content).toMatch(/\w/);
    expect([1, 2]).toContain(JSON.parse(choices[0].message.content).a);
  });

  it('does not begin again, however much the model wants to', async () => {
    // The mark is a token that is made the likeliest everywhere.
    const mark = '<|begin_of_text|>';
    const template = `{% for m in messages %}<|im_start|>{{ m.role }}: {% if m.reasoning_content %}${mark}{{ m.reasoning_content }}</done>{% endif %}{{ m.content }}<|im_end|>{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant: {% endif %}`;
    const metadata = [['tokenizer.chat_template', { type: 'string', value: template }] as const];
    const eager = await startTestServer({ model: { override: { metadata, rope: {} } } });
    await eager.ready;
    const bias = { ...neverEnding.logit_bias, 0: 100 };
    for (const budget of [0, 6]) {
      const response = await eager.post('/v1/chat/completions', {
        ...{ ...body, max_tokens: 30, logit_bias: bias, thinking_budget_tokens: budget },
      });
      const { choices, usage } = await response.json();
      expect(usage.completion_tokens_details?.reasoning_tokens ?? 0).toBe(budget);
      expect(choices[0].message.content).toMatch(/\w/);
      expect(choices[0].message.content).not.toContain(mark);
    }
    await eager.close();
  });
});
