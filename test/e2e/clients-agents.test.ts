// Agents on /v1/chat/completions, by the packages that they are made of: opencode (Vercel's ai with its provider for servers
// like OpenAI's: a long system prompt, its tools, streams with usage, an abort), and LangGraph's agent.
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { HumanMessage } from '@langchain/core/messages';
import { tool as langChainTool } from '@langchain/core/tools';
import { createReactAgent } from '@langchain/langgraph/prebuilt';
import { ChatOpenAI } from '@langchain/openai';
import { jsonSchema, type ModelMessage, stepCountIs, streamText, tool } from 'ai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { neverEnding, startTestServer, type TestServer } from './serve-fixture.ts';

let server: TestServer;
let baseURL: string;
beforeAll(async () => {
  server = await startTestServer();
  await server.ready;
  baseURL = `${server.url}/v1`;
});
afterAll(() => server.close());

/** Its tools have the schemas that zod writes: a dialect, bounds of safe integers, nested objects in lists. */
const objectOf = (properties: object, required: string[] = Object.keys(properties)) =>
  jsonSchema<Record<string, unknown>>({
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    properties,
    required,
    additionalProperties: false,
  } as never);
const text = { type: 'string' };
const integer = { type: 'integer', minimum: -9007199254740991, maximum: 9007199254740991 };
const ran: unknown[] = [];
const tools = {
  read: tool({
    description: 'Reads a file.',
    inputSchema: objectOf({ filePath: text, offset: integer, limit: integer }, ['filePath']),
    execute: async (input) => {
      ran.push(input);
      return '00001| # quern';
    },
  }),
  bash: tool({
    description: 'Runs a command.',
    inputSchema: objectOf({ command: text, timeout: { type: 'number' }, description: text }, [
      'command',
      'description',
    ]),
  }),
  task: tool({
    description: 'Starts a helper.',
    inputSchema: objectOf({
      subagent_type: { enum: ['general', 'explore'] },
      count: { ...integer, minimum: 1, maximum: 9 },
    }),
  }),
  todowrite: tool({
    description: 'Writes the list of what is to do.',
    inputSchema: objectOf({
      todos: {
        type: 'array',
        items: {
          type: 'object',
          properties: { content: text, status: { enum: ['pending', 'done'] }, priority: text },
          required: ['content', 'status'],
          additionalProperties: false,
        },
      },
    }),
  }),
};
const system = `You are a coding agent in a terminal.\n\n${'Keep answers short, and say what you have changed. '.repeat(40)}`;

describe('opencode', () => {
  /** The fields of a request that went out last, and the names that its answer has in x-quern-ignored. */
  let sent: Record<string, unknown> = {};
  let ignored: string | null = null;
  const provider = (more: object = {}) =>
    createOpenAICompatible({
      name: 'quern',
      baseURL,
      includeUsage: true,
      headers: { 'User-Agent': 'opencode/1.18.0', 'x-session-affinity': 'ses_1' },
      fetch: async (url, init) => {
        sent = { ...JSON.parse(String(init!.body)), ...more };
        const response = await fetch(url, { ...init, body: JSON.stringify(sent) });
        ignored = response.headers.get('x-quern-ignored');
        return response;
      },
    })('tiny-llama');
  const messages: ModelMessage[] = [{ role: 'user', content: 'What is the capital of France?' }];
  const asked = { system, messages, tools, temperature: 0, maxOutputTokens: 32000, maxRetries: 0 };

  it('streams a step with its tools, its usage, and more tokens asked for than there is room', async () => {
    const result = streamText({ model: provider({ grammar: 'root ::= "Paris."' }), ...asked });
    expect(await result.text).toBe('Paris.');
    expect(sent).toMatchObject({ stream: true, stream_options: { include_usage: true }, max_tokens: 32000 });
    expect((sent.tools as unknown[]).length).toBe(4);
    const usage = await result.usage;
    expect(usage.inputTokens).toBeGreaterThan(500);
    expect(usage.outputTokens).toBeGreaterThan(0);
    expect(ignored).toBeNull();
  });

  it('calls a tool, gets what it gave back into the conversation, and finds the first step in the cache', async () => {
    const call = '<tool_call>\n{"name": "read", "arguments": {"filePath": "README.md"}}\n</tool_call>';
    const steps = [JSON.stringify(call), '"It is quern."'];
    const model = createOpenAICompatible({
      name: 'quern',
      baseURL,
      includeUsage: true,
      // Each step's reply is forced, so that what the server makes of it is known.
      fetch: (url, init) =>
        fetch(url, {
          ...init,
          body: JSON.stringify({ ...JSON.parse(String(init!.body)), grammar: `root ::= ${steps.shift()}` }),
        }),
    })('tiny-llama');
    ran.length = 0;
    const result = streamText({ model, ...asked, stopWhen: stepCountIs(3) });
    expect(await result.text).toBe('It is quern.');
    expect(ran).toEqual([{ filePath: 'README.md' }]);
    const [first, second] = await result.steps;
    expect([first!.finishReason, second!.finishReason]).toEqual(['tool-calls', 'stop']);
    expect(second!.usage.cachedInputTokens).toBeGreaterThanOrEqual(first!.usage.inputTokens!);
  });

  it('must call the tool that it is told to', async () => {
    const result = streamText({
      model: provider(),
      ...asked,
      maxOutputTokens: 200,
      toolChoice: { type: 'tool', toolName: 'task' },
    });
    const calls = await result.toolCalls;
    expect(new Set(calls.map(({ toolName }) => toolName))).toEqual(new Set(['task']));
    expect(calls[0]!.input).toEqual({
      subagent_type: expect.stringMatching(/^(general|explore)$/),
      count: expect.any(Number),
    });
  });

  it('aborts: the generation ends', async () => {
    const before = server.records.length;
    const abort = new AbortController();
    const result = streamText({ model: provider(neverEnding), ...asked, tools: {}, abortSignal: abort.signal });
    for await (const _ of result.textStream) {
      abort.abort();
      break;
    }
    await expect.poll(() => server.records.length).toBe(before + 1);
    expect(server.records.at(-1)).toMatchObject({ finishReason: 'cancelled' });
  });
});

describe('LangGraph', () => {
  const asked: string[] = [];
  const getWeather = langChainTool(
    ({ city }) => {
      asked.push(city);
      return '{"weather": "sunny", "temperature": 20}';
    },
    { name: 'get_weather', description: '', schema: z.object({ city: z.string() }) },
  );
  const chat = () =>
    new ChatOpenAI({
      model: 'tiny-llama',
      temperature: 0,
      apiKey: 'any',
      useResponsesApi: false,
      configuration: { baseURL },
      maxRetries: 0,
    });
  const question = { messages: [new HumanMessage('What is the weather in Paris?')] };

  it('runs an agent that calls a tool and answers', async () => {
    asked.length = 0;
    const agent = createReactAgent({ llm: chat(), tools: [getWeather] });
    const { messages } = await agent.invoke(question);
    expect(asked).toEqual(['Paris']);
    expect(messages.map((message) => message.getType())).toEqual(['human', 'ai', 'tool', 'ai']);
    expect(messages.at(-1)!.text).toMatch(/Paris/);
  });

  it('runs one whose first step must be a call, streamed', async () => {
    asked.length = 0;
    const agent = createReactAgent({
      llm: async ({ messages }) =>
        chat().bindTools([getWeather], {
          tool_choice: messages.length === 1 ? 'get_weather' : 'none',
          parallel_tool_calls: false,
        }) as never,
      tools: [getWeather],
    });
    const kinds: string[] = [];
    let said = '';
    for await (const [message] of await agent.stream(
      { messages: [new HumanMessage('What is the capital of France?')] },
      { streamMode: 'messages' },
    )) {
      const kind = message.getType();
      if (kinds.at(-1) !== kind) kinds.push(kind);
      if (kind === 'ai' && kinds.length > 2) said += message.text;
    }
    expect(kinds).toEqual(['ai', 'tool', 'ai']);
    expect(asked).toHaveLength(1);
    expect(said).toMatch(/\w/);
  });
});
