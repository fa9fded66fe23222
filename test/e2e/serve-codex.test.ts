// Requests in the shapes that Codex sends: no state on the server, tools of every type that it knows, reasoning items with
// and without their parts, results as lists. And LangChain's agent on the same API.
import { HumanMessage } from '@langchain/core/messages';
import { tool as langChainTool } from '@langchain/core/tools';
import { createReactAgent } from '@langchain/langgraph/prebuilt';
import { ChatOpenAI } from '@langchain/openai';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { startTestServer, type TestServer } from './serve-fixture.ts';

let server: TestServer;
let client: OpenAI;
beforeAll(async () => {
  server = await startTestServer();
  await server.ready;
  client = new OpenAI({
    baseURL: `${server.url}/v1`,
    apiKey: 'any',
    maxRetries: 0,
    defaultHeaders: { originator: 'codex_cli_rs', session_id: '0199-5f2c', 'x-codex-beta-features': '' },
  });
});
afterAll(() => server.close());

type Item = OpenAI.Responses.ResponseOutputItem;
const text = (role: string, content: string) => ({
  type: 'message',
  role,
  content: [{ type: 'input_text', text: content }],
});
const stringOf = (properties: object) => ({ type: 'object', properties, additionalProperties: false });

const shell = {
  type: 'function',
  name: 'shell',
  description: 'Runs a command.',
  strict: false,
  parameters: stringOf({ command: { type: 'array', items: { type: 'string' } }, timeout_ms: { type: 'number' } }),
};
const note = { type: 'custom', name: 'note', description: 'Writes a note.', format: { type: 'text' } };
const weather = {
  type: 'namespace',
  name: 'mcp__weather',
  description: 'Weather.',
  tools: [{ type: 'function', name: 'get', parameters: stringOf({ city: { type: 'string' } }), strict: false }],
};
const patch = {
  type: 'custom',
  name: 'apply_patch',
  description: 'Changes files.',
  format: { type: 'grammar', syntax: 'lark', definition: 'start: "*** Begin Patch" LF' },
};
const others = [
  { type: 'web_search', external_web_access: false },
  { type: 'local_shell' },
  { type: 'tool_search' },
  patch,
];

const codex = (input: object[], more: object = {}) => ({
  model: 'tiny-llama',
  instructions: 'You are a coding agent in a terminal.',
  input: [
    text('developer', '<permissions instructions>read-only</permissions instructions>'),
    text('user', '<environment_context>\n  <cwd>/home/lily</cwd>\n</environment_context>'),
    ...input,
  ],
  tools: [shell, ...others, weather, note],
  tool_choice: 'auto',
  reasoning: { effort: 'medium', summary: 'auto' },
  store: false,
  include: ['reasoning.encrypted_content'],
  prompt_cache_key: '0199-5f2c',
  client_metadata: { 'x-codex-installation-id': '1' },
  temperature: 0,
  max_output_tokens: 200,
  ...more,
});

/** The reply is forced, so that what the server makes of it is known. */
const saying = (reply: string) => ({ grammar: `root ::= ${JSON.stringify(reply)}` });
const calling = (name: string, args: object) =>
  `<tool_call>\n${JSON.stringify({ name, arguments: args })}\n</tool_call>`;

async function run(body: object): Promise<{ items: Item[]; response: OpenAI.Responses.Response }> {
  const stream = await client.responses.create({ ...body, stream: true } as never);
  const items: Item[] = [];
  for await (const event of stream as unknown as AsyncIterable<OpenAI.Responses.ResponseStreamEvent>) {
    // What Codex reads of a stream.
    if (event.type === 'response.output_item.done') items.push(event.item);
    if (event.type === 'response.completed') return { items, response: event.response };
  }
  throw new Error('the stream ended without response.completed');
}

describe('Codex', () => {
  it('gets a reply whatever tools it names, and is told which the model was offered', async () => {
    const response = await server.post('/v1/responses', codex([text('user', 'Hello.')]));
    expect(response.status).toBe(200);
    expect(response.headers.get('quern-tools-left-out')).toBe('web_search, local_shell, tool_search, custom');
    expect((await response.json()).tools).toEqual([shell, weather, note]);
    // As many as a client's own limit of headers lets in.
    const kinds = ['\ud800', ...Array(1000).keys()].map((kind) => ({ type: `kind ${kind}` }));
    const many = await server.post('/v1/responses', { input: 'Hello.', max_output_tokens: 1, tools: kinds });
    expect(many.headers.get('quern-tools-left-out')!.split(', ')).toHaveLength(32);
  });

  it('gets calls of functions, of custom tools and of tools in a namespace', async () => {
    const reply = [
      calling('shell', { command: ['ls', '-l'] }),
      calling('mcp__weather__get', { city: 'Paris' }),
      calling('note', { input: 'buy "milk"\n' }),
    ].join('\n');
    const { items, response } = await run(codex([text('user', 'Go.')], saying(reply)));
    expect(items).toEqual(response.output);
    const id = { id: expect.any(String), call_id: expect.stringMatching(/^call_/), status: 'completed' };
    expect(items).toEqual([
      { ...id, type: 'function_call', name: 'shell', arguments: expect.any(String) },
      { ...id, type: 'function_call', name: 'get', namespace: 'mcp__weather', arguments: expect.any(String) },
      { ...id, type: 'custom_tool_call', name: 'note', input: 'buy "milk"\n' },
    ]);
    expect(new Set(items.flatMap((item) => ('call_id' in item ? [item.call_id] : []))).size).toBe(3);

    const outputs = items.map((item) => ({
      type: item.type === 'custom_tool_call' ? 'custom_tool_call_output' : 'function_call_output',
      call_id: (item as { call_id: string }).call_id,
      output: [{ type: 'input_text', text: 'done' }],
    }));
    const next = await run(codex([text('user', 'Go.'), ...items, ...outputs], saying('Done.')));
    expect(next.items).toMatchObject([{ type: 'message', content: [{ type: 'output_text', text: 'Done.' }] }]);
    expect(next.response.usage!.input_tokens_details.cached_tokens).toBeGreaterThanOrEqual(
      response.usage!.input_tokens - 1,
    );
  });

  it.each([
    { summary: [], content: null, encrypted_content: null },
    { encrypted_content: 'gAAAAABo' },
    { summary: [{ type: 'summary_text', text: 'hm' }] },
    { summary: [], content: [{ type: 'reasoning_text', text: 'hm' }] },
  ])('gives back reasoning as %j', async (parts) => {
    const items = [text('user', 'Hello.'), { type: 'reasoning', id: 'rs_1', ...parts }, text('assistant', 'Hi.')];
    const { response } = await run(codex([...items, text('user', 'And?')], saying('Yes.')));
    expect(response.status).toBe('completed');
  });

  // Recorded of 0.171.0, for which the name of the model decides what it sends.
  it('may take the model for one of OpenAI’s: a verbosity, its search for tools, instructions in parts', async () => {
    const search = { type: 'tool_search', execution: 'client', description: 'Finds tools.', parameters: stringOf({}) };
    const web = { type: 'web_search', external_web_access: false, search_content_types: ['text', 'image'] };
    const parts = { ...text('developer', 'Be short.'), id: 'msg_1' };
    parts.content.push({ type: 'input_text', text: '<tools>\nDeferred tool namespaces:\n- agents\n</tools>' });
    const { response } = await run(
      codex([parts, { ...text('user', 'Hello.'), id: 'msg_2' }], {
        ...{ model: 'gpt-5.5', reasoning: { effort: 'medium' }, text: { verbosity: 'low' } },
        ...{ tools: [shell, patch, search, web], parallel_tool_calls: true, ...saying('Hi.') },
      }),
    );
    expect(response).toMatchObject({ status: 'completed', text: { verbosity: 'medium' } });
    expect(response.tools).toEqual([shell]);
  });

  it('may send no reasoning and no tools', async () => {
    const { response } = await run(
      codex([text('user', 'Hello.')], { reasoning: null, include: [], tools: [], ...saying('Hi.') }),
    );
    expect(response.tools).toEqual([]);
  });
});

describe('LangChain', () => {
  it('runs an agent that calls a tool and answers, on the Responses API', async () => {
    const asked: string[] = [];
    const getWeather = langChainTool(
      ({ city }) => {
        asked.push(city);
        return '{"weather": "sunny", "temperature": 20}';
      },
      { name: 'get_weather', description: '', schema: z.object({ city: z.string() }) },
    );
    const llm = new ChatOpenAI({
      model: 'tiny-llama',
      temperature: 0,
      apiKey: 'any',
      useResponsesApi: true,
      configuration: { baseURL: `${server.url}/v1` },
    });
    const agent = createReactAgent({ llm, tools: [getWeather] });
    const { messages } = await agent.invoke({ messages: [new HumanMessage('What is the weather in Paris?')] });
    expect(asked).toEqual(['Paris']);
    expect(messages.map((message) => message.getType())).toEqual(['human', 'ai', 'tool', 'ai']);
    expect(messages.at(-1)!.text).toMatch(/Paris/);
  });
});
