// Thinking and forced calls in the forms of Anthropic's API and of OpenAI's Responses, read by their own clients: thoughts
// come apart, keep to their budgets, and go back into the prompt with what seals them.
import { readFileSync } from 'node:fs';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { neverEnding, startTestServer, type TestServer, tinyLlama } from './serve-fixture.ts';

/** Opens a thought in front of each reply, and shows those of earlier turns. */
const template = readFileSync(`${tinyLlama}/chat_template.jinja`, 'utf8')
  .trimEnd()
  .replaceAll(
    "message.role + '\\n' + message.content",
    "message.role + '\\n' + ('<think>\\n' + message.reasoning_content + '\\n</think>\\n' if message.reasoning_content else '') + message.content",
  )
  .concat(
    "{%- if add_generation_prompt %}{{ '<think>\\n</think>\\n' if enable_thinking is defined and not enable_thinking else '<think>\\n' }}{% endif %}",
  );

let server: TestServer;
let anthropic: Anthropic;
let openai: OpenAI;
beforeAll(async () => {
  const metadata = [['tokenizer.chat_template', { type: 'string', value: template }] as const];
  server = await startTestServer({ model: { override: { metadata, rope: {} } } });
  await server.ready;
  anthropic = new Anthropic({ baseURL: server.url, apiKey: 'any', maxRetries: 0 });
  openai = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'any', maxRetries: 0 });
});
afterAll(() => server.close());

const question = 'What is the capital of France?';
const messages = [{ role: 'user' as const, content: question }];
const common = { model: 'tiny-llama', temperature: 0, ...neverEnding };
const message = (body: object) =>
  anthropic.messages.create({
    ...common,
    max_tokens: 40,
    messages,
    ...body,
  } as Anthropic.MessageCreateParamsNonStreaming);
const response = (body: object) =>
  openai.responses.create({
    ...common,
    max_output_tokens: 40,
    input: question,
    ...body,
  } as never) as Promise<OpenAI.Responses.Response>;
const thinking = { type: 'enabled', budget_tokens: 6 };

describe('thinking in Anthropic’s form', () => {
  it('comes as a block with a signature, within its budget, streamed as whole', async () => {
    const whole = await message({ thinking });
    expect(whole.content).toEqual([
      { type: 'thinking', thinking: expect.stringMatching(/\w/), signature: expect.stringMatching(/^quern1\./) },
      { type: 'text', text: expect.stringMatching(/\w/) },
    ]);
    const stream = anthropic.messages.stream({ ...common, max_tokens: 40, messages, thinking } as never);
    expect((await stream.finalMessage()).content).toEqual(whole.content);
  });

  it('does not begin when it is disabled', async () => {
    const { content } = await message({ thinking: { type: 'disabled' } });
    expect(content.map(({ type }) => type)).toEqual(['text']);
  });

  it('goes back into the prompt, shown or sealed', async () => {
    const counts = [];
    for (const display of ['summarized', 'omitted']) {
      const { content } = await message({ thinking: { ...thinking, display } });
      const [thought] = content as Anthropic.ThinkingBlock[];
      expect(thought!.thinking === '').toBe(display === 'omitted');
      const turns = [...messages, { role: 'assistant' as const, content }, ...messages];
      counts.push((await anthropic.messages.countTokens({ model: 'tiny-llama', messages: turns })).input_tokens);
      const without = [...messages, { role: 'assistant' as const, content: content.slice(1) }, ...messages];
      const less = await anthropic.messages.countTokens({ model: 'tiny-llama', messages: without });
      expect(counts.at(-1)).toBeGreaterThan(less.input_tokens);
    }
    expect(counts[1]).toBe(counts[0]);
  });

  it('leaves an answer to its schema', async () => {
    const schema = {
      type: 'object',
      properties: { a: { enum: [1, 2] } },
      required: ['a'],
      additionalProperties: false,
    };
    const format = { type: 'json_schema', schema };
    const { content } = await message({ thinking, output_config: { format }, logit_bias: {} });
    expect(content.map(({ type }) => type)).toEqual(['thinking', 'text']);
    expect([1, 2]).toContain(JSON.parse((content[1] as Anthropic.TextBlock).text).a);
  });
});

describe('reasoning in Responses', () => {
  it('comes as an item with its tokens counted, and goes back into the prompt', async () => {
    const { output, usage } = await response({ include: ['reasoning.encrypted_content'] });
    const [item] = output as OpenAI.Responses.ResponseReasoningItem[];
    expect(item).toMatchObject({ type: 'reasoning', content: [{ type: 'reasoning_text' }], status: 'incomplete' });
    expect(usage!.output_tokens_details.reasoning_tokens).toBe(40);
    const turn = [
      { role: 'assistant', content: 'Paris.' },
      { role: 'user', content: 'And?' },
    ];
    const count = async (thought: object[]) => {
      const input = [{ role: 'user', content: question }, ...thought, ...turn];
      return (await openai.responses.inputTokens.count({ model: 'tiny-llama', input } as never)).input_tokens;
    };
    const { content: _, ...sealed } = item!;
    expect(await count([sealed])).toBe(await count([item!]));
    expect(await count([item!])).toBeGreaterThan(await count([]));
  });

  it('comes as its summary when one is asked for, and not at all with an effort of none', async () => {
    const { output } = await response({ reasoning: { summary: 'auto' } });
    expect(output[0]).toMatchObject({ type: 'reasoning', summary: [{ type: 'summary_text' }] });
    const none = await response({ reasoning: { effort: 'none' } });
    expect(none.output.map(({ type }) => type)).toEqual(['message']);
  });
});

describe('calls that have to be', () => {
  const parameters = {
    type: 'object' as const,
    properties: { city: { type: 'string', maxLength: 8, pattern: '^[a-z]+$' } },
    required: ['city'],
    additionalProperties: false,
  };
  const off = { logit_bias: {}, max_tokens: 400 };
  const names = ['get_time', 'get_news'];
  const anthropicTools = names.map((name) => ({ name, input_schema: parameters }));
  const openAiTools = names.map((name) => ({ type: 'function', name, parameters, strict: true }));

  it.each([{ type: 'any' }, { type: 'tool', name: 'get_news' }])('are, with %j of Anthropic’s', async (choice) => {
    const body = { ...off, tools: anthropicTools, thinking: { type: 'disabled' } };
    const { content } = await message({ ...body, tool_choice: { ...choice, disable_parallel_tool_use: true } });
    const calls = content.filter((block) => block.type === 'tool_use');
    expect(calls).toHaveLength(1);
    expect('name' in choice ? ['get_news'] : names).toContain(calls[0]!.name);
    expect((calls[0]!.input as { city: string }).city).toMatch(/^[a-z]{1,8}$/);
  });

  it.each(['required', { type: 'function', name: 'get_news' }])('are, with %j of OpenAI’s', async (tool_choice) => {
    const body = { logit_bias: {}, max_output_tokens: 400, tools: openAiTools, reasoning: { effort: 'none' } };
    const { output } = await response({ ...body, tool_choice, parallel_tool_calls: false });
    const calls = output.filter((item) => item.type === 'function_call');
    expect(calls).toHaveLength(1);
    expect(typeof tool_choice === 'string' ? names : ['get_news']).toContain(calls[0]!.name);
    expect(JSON.parse(calls[0]!.arguments).city).toMatch(/^[a-z]{1,8}$/);
  });
});
