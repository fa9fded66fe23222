// The clients that people use, unchanged, against the server: openai's SDK, Vercel's ai, LangChain. The text is transformers' own.
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { ChatOpenAI } from '@langchain/openai';
import { generateText, streamText } from 'ai';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectedChats, startTestServer, type TestServer } from './serve-fixture.ts';

let server: TestServer;
let baseURL: string;
beforeAll(async () => {
  server = await startTestServer({ model: { alias: 'tiny' } });
  await server.ready;
  baseURL = `${server.url}/v1`;
});
afterAll(() => server.close());

const model = 'tiny';
const question = 'What is the capital of France?';
const paris = 'The capital of France is Paris.';
const messages = [{ role: 'user' as const, content: question }];
const greedy = { model, temperature: 0 };

describe('openai', () => {
  const client = () => new OpenAI({ baseURL, apiKey: 'none', maxRetries: 0 });

  it('chats, whole and streamed', async () => {
    const whole = await client().chat.completions.create({ ...greedy, messages });
    expect(whole.choices[0]!.message.content).toBe(paris);
    const stream = client().chat.completions.stream({ ...greedy, messages, stream_options: { include_usage: true } });
    expect(await stream.finalContent()).toBe(paris);
    expect(await stream.totalUsage()).toMatchObject({ completion_tokens: whole.usage!.completion_tokens });
  });

  it('gets calls of tools', async () => {
    const chat = expectedChats.find(({ tools, greedy_text: text }) => tools && text.includes('<tool_call>'))!;
    const reply = await client().chat.completions.create({
      ...greedy,
      messages: chat.messages as OpenAI.ChatCompletionMessageParam[],
      tools: chat.tools as OpenAI.ChatCompletionTool[],
    });
    const [call] = reply.choices[0]!.message.tool_calls!;
    expect(chat.greedy_text).toContain(call!.type === 'function' && call.function.name);
    expect(reply.choices[0]!.finish_reason).toBe('tool_calls');
  });

  it('gets replies of a schema', async () => {
    const schema = {
      ...{ type: 'object', properties: { city: { enum: ['Paris', 'Rome'] } } },
      ...{ required: ['city'], additionalProperties: false },
    };
    const format = { type: 'json_schema' as const, json_schema: { name: 'city', strict: true, schema } };
    const reply = await client().chat.completions.parse({ ...greedy, messages, response_format: format });
    expect(['Paris', 'Rome']).toContain((reply.choices[0]!.message.parsed as unknown as { city: string }).city);
  });

  it('completes lists of prompts, and throws its own error for a field that cannot be honoured', async () => {
    const body = { ...greedy, prompt: ['In the beginning', 'The capital of'], max_tokens: 4, echo: true, logprobs: 1 };
    const { choices } = await client().completions.create(body);
    expect(choices.map(({ text }) => text.startsWith('In the') || text.startsWith('The capital'))).toEqual([
      true,
      true,
    ]);
    expect(choices[1]!.logprobs!.tokens!.join('')).toContain('The capital of');
    const refused = client().chat.completions.create({ ...greedy, messages, modalities: ['audio'] });
    await expect(refused).rejects.toMatchObject({ status: 400, param: 'modalities', code: 'unsupported_parameter' });
  });
});

it('ai with @ai-sdk/openai-compatible: text whole and streamed', async () => {
  const provider = createOpenAICompatible({ name: 'quern', baseURL, includeUsage: true });
  const options = { model: provider(model), prompt: question, temperature: 0, maxRetries: 0 };
  const { text, finishReason, usage } = await generateText(options);
  expect([text, finishReason, usage.outputTokens]).toEqual([paris, 'stop', 8]);
  let streamed = '';
  for await (const part of streamText(options).textStream) streamed += part;
  expect(streamed).toBe(paris);
});

it('@langchain/openai: invoke and stream', async () => {
  const chat = new ChatOpenAI({ model, temperature: 0, apiKey: 'none', configuration: { baseURL }, maxRetries: 0 });
  expect((await chat.invoke(question)).content).toBe(paris);
  let streamed = '';
  for await (const chunk of await chat.stream(question)) streamed += chunk.content;
  expect(streamed).toBe(paris);
});
