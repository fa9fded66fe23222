// The calls of programs that people put in front of a server, in the shapes that they send: Open WebUI through its two kinds of
// connections, and n8n's nodes (LangChain's chat on completions and Responses, Ollama's client, its own lists of models).
import { HumanMessage, SystemMessage, ToolMessage } from '@langchain/core/messages';
import { ChatOpenAI } from '@langchain/openai';
import { loadServedModel } from '@quern/serve-command/server';
import { Ollama } from 'ollama';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readEvents, startTestServer, type TestServer } from './serve-fixture.ts';

const model = 'tiny';
const paris = 'The capital of France is Paris.';
const question = { role: 'user', content: 'What is the capital of France?' };
let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ model: { alias: model } });
  await server.ready;
});
afterAll(() => server.close());

const headers = {
  'content-type': 'application/json',
  authorization: 'Bearer any',
  'X-OpenWebUI-User-Name': 'Lily',
  'X-OpenWebUI-Chat-Id': 'c1',
};
const get = async (path: string) => (await fetch(server.url + path, { headers })).json();
const post = (path: string, body: object) => server.post(path, body, { headers });
/** A reply that is what the test says it is. */
const saying = (reply: string) => ({ grammar: `root ::= ${JSON.stringify(reply)}` });

const tools = [
  {
    type: 'function',
    function: {
      name: 'get_weather',
      description: 'Gets the weather.',
      parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
    },
  },
];
const called = '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Paris"}}\n</tool_call>';

describe('Open WebUI, connected as to OpenAI', () => {
  it('lists the models, by the path under its base address', async () => {
    const { object, data } = await get('/v1/models');
    expect([object, data[0].id, data[0].object]).toEqual(['list', model, 'model']);
  });

  it('streams a chat with its parameters and usage, and nothing that it sends is passed over', async () => {
    const response = await post('/v1/chat/completions', {
      ...{ model, stream: true, stream_options: { include_usage: true } },
      messages: [{ role: 'system', content: 'Today is Sunday.' }, question],
      ...{ temperature: 0.0, top_p: 0.9, top_k: 40, min_p: 0, max_tokens: 12, seed: 1, stop: ['\u0000'] },
      ...{ frequency_penalty: 0, presence_penalty: 0, repeat_penalty: 1, logit_bias: {}, reasoning_effort: 'medium' },
    });
    expect([response.status, response.headers.get('x-quern-ignored')]).toEqual([200, null]);
    const events = await readEvents(response);
    expect(events.map((event) => event.choices[0]?.delta.content ?? '').join('')).toMatch(/\w/);
    expect(events.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: expect.any(Number) } });
  });

  it.each(['title', 'tags', 'follow_ups'])('asks for %s of a conversation as JSON in a text', async (key) => {
    const content = `### Task:\nGenerate ${key}.\n### Output:\nJSON format: { "${key}": "..." }\n### Chat History:\n<chat_history>\nUSER: Hi\nASSISTANT: Hello\n</chat_history>`;
    const answer = `{"${key}": "x"}`;
    const response = await post('/v1/chat/completions', {
      ...{ model, messages: [{ role: 'user', content }], stream: false, max_completion_tokens: 1000 },
      ...saying(answer),
    });
    expect((await response.json()).choices[0].message.content).toBe(answer);
  });

  it('calls tools natively and sends the whole turn back, ids and indexes and all', async () => {
    const body = { model, tools, messages: [question], temperature: 0, stream: true, ...saying(called) };
    const events = await readEvents(await post('/v1/chat/completions', body));
    const deltas = events.flatMap((event) => event.choices[0]?.delta.tool_calls ?? []);
    const [{ id }] = deltas;
    const text = deltas.map((delta) => delta.function?.arguments ?? '').join('');
    expect(JSON.parse(text)).toEqual({ city: 'Paris' });
    const turn = [
      {
        role: 'assistant',
        content: '',
        tool_calls: [{ index: 0, id, type: 'function', function: { name: 'get_weather', arguments: text } }],
      },
      { role: 'tool', tool_call_id: id, content: 'sunny' },
    ];
    const next = await post('/v1/chat/completions', { ...body, messages: [question, ...turn], ...saying('Sunny.') });
    const said = (await readEvents(next)).map((event) => event.choices[0]?.delta.content ?? '');
    expect(said.join('')).toBe('Sunny.');
  });

  it('sends pictures as parts, which are refused by their place', async () => {
    const content = [
      { type: 'text', text: 'What is this?' },
      { type: 'image_url', image_url: { url: 'data:image/png;base64,aGk=' } },
    ];
    const response = await post('/v1/chat/completions', { model, messages: [{ role: 'user', content }] });
    expect(response.status).toBe(400);
    expect((await response.json()).error.param).toMatch(/^messages\.0\.content/);
  });
});

describe('Open WebUI, connected as to Ollama', () => {
  it('lists models, those that are loaded, and the version that it needs', async () => {
    const [tag] = (await get('/api/tags')).models;
    expect(tag).toMatchObject({ name: model, model, digest: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(Date.parse(tag.modified_at)).not.toBeNaN();
    const [loaded] = (await get('/api/ps')).models;
    expect(loaded).toMatchObject({ model, size_vram: 0 });
    expect(Date.parse(loaded.expires_at)).toBeGreaterThan(Date.now());
    expect((await get('/api/version')).version).toMatch(/^\d+\.\d+\.\d+$/);
  });

  it.each(['model', 'name'])('shows a model, by its %s', async (field) => {
    const shown = await (await post('/api/show', { [field]: `${model}:latest` })).json();
    expect(shown).toMatchObject({ details: { family: 'llama' }, model_info: { 'general.architecture': 'llama' } });
    expect(shown.capabilities).toContain('completion');
  });

  it('streams a chat as lines, with every option of its settings', async () => {
    const response = await post('/api/chat', {
      ...{ model: `${model}:latest`, stream: true, keep_alive: '5m', think: false },
      messages: [{ role: 'system', content: 'Be short.' }, question],
      options: {
        ...{ temperature: 0, top_p: 0.9, top_k: 40, min_p: 0, seed: 1, num_predict: 12, num_ctx: 2048, num_keep: 24 },
        ...{ repeat_last_n: 64, repeat_penalty: 1.1, presence_penalty: 0, frequency_penalty: 0, tfs_z: 1 },
        ...{ mirostat: 0, mirostat_eta: 0.1, mirostat_tau: 5, num_batch: 512, num_gpu: 0, num_thread: 2 },
        ...{ use_mmap: true, use_mlock: false, stop: ['</s>'] },
      },
    });
    expect(response.headers.get('content-type')).toMatch(/^application\/x-ndjson/);
    const lines = (await response.text())
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.map(({ message }) => message.content).join('')).toMatch(/\w/);
    expect(lines.slice(0, -1).every(({ done }) => done === false)).toBe(true);
    expect(lines.at(-1)).toMatchObject({ done: true, done_reason: expect.any(String), eval_count: expect.any(Number) });
  });

  it('sends calls and what they gave back in OpenAI’s extra fields', async () => {
    const turn = [
      {
        role: 'assistant',
        content: '',
        tool_calls: [{ index: 0, id: 'call_1', function: { name: 'get_weather', arguments: { city: 'Paris' } } }],
      },
      { role: 'tool', tool_call_id: 'call_1', content: 'sunny' },
    ];
    const response = await post('/api/chat', {
      model,
      messages: [question, ...turn],
      tools,
      stream: false,
      options: { num_predict: 4 },
    });
    expect((await response.json()).done).toBe(true);
  });

  it('lets a model go, and has it again', async () => {
    const answer = await (await post('/api/generate', { model, prompt: '', keep_alive: 0 })).json();
    expect(answer).toMatchObject({ done: true, response: '' });
    expect(
      (await post('/api/chat', { model, messages: [question], stream: false, options: { num_predict: 1 } })).status,
    ).toBe(200);
  });

  it('makes vectors of a list of texts, and of one', async () => {
    const folder = new URL('../models/arch/roberta', import.meta.url).pathname;
    const other = await startTestServer({ load: () => loadServedModel(folder, { threads: 1, alias: 'vectors' }) });
    await other.ready;
    const embed = async (input: unknown) =>
      (await (await other.post('/api/embed', { model: 'vectors:latest', input, truncate: true }, { headers })).json())
        .embeddings;
    const both = await embed(['one', 'two words']);
    expect(both).toHaveLength(2);
    expect(await embed('one')).toEqual([both[0]]);
    await other.close();
  });
});

describe('n8n', () => {
  const fields = {
    model,
    apiKey: 'any',
    maxRetries: 0,
    timeout: 60000,
    temperature: 0,
    topP: 1,
    frequencyPenalty: 0,
    presencePenalty: 0,
  };
  const chat = (more: object = {}) =>
    new ChatOpenAI({ ...fields, configuration: { baseURL: `${server.url}/v1` }, ...more });

  it('asks for lists of models of both kinds, which also test its credentials', async () => {
    expect((await get('/v1/models')).data.map(({ id }: { id: string }) => id)).toEqual([model]);
    expect((await new Ollama({ host: server.url }).list()).models.map(({ name }) => name)).toEqual([model]);
  });

  it.each([
    ['completions', {}],
    ['completions, held to JSON', { modelKwargs: { response_format: { type: 'json_object' } } }],
    ['completions with an effort', { modelKwargs: { reasoning_effort: 'medium' } }],
    ['Responses', { useResponsesApi: true }],
    ['Responses, streamed', { useResponsesApi: true, streaming: true }],
  ])('its chat model on %s', async (_, more) => {
    const reply = await chat({ maxTokens: 40, ...more }).invoke([
      new SystemMessage('Answer.'),
      new HumanMessage(question.content),
    ]);
    expect(reply.text).toMatch(/\S/);
    expect(reply.usage_metadata!.output_tokens).toBeGreaterThan(0);
  });

  it.each([false, true])(
    'its agent’s tools, with a call that must be and what it gave (Responses: %s)',
    async (useResponsesApi) => {
      const llm = chat({ useResponsesApi });
      const asked = [new HumanMessage(question.content)];
      const first = await llm.bindTools(tools, { tool_choice: 'get_weather' }).invoke(asked);
      const [call] = first.tool_calls!;
      expect(call).toMatchObject({ name: 'get_weather', args: { city: expect.any(String) } });
      const results = first.tool_calls!.map(({ id }) => new ToolMessage({ content: 'sunny', tool_call_id: id! }));
      const next = await llm.bindTools(tools, { tool_choice: 'none' }).invoke([...asked, first, ...results]);
      expect(next.text).toMatch(/\S/);
    },
  );

  it('its OpenAI node, which names what it does not want of Responses', async () => {
    const body = {
      ...{ model, input: [{ role: 'user', content: [{ type: 'input_text', text: question.content }] }] },
      ...{ store: false, background: false, parallel_tool_calls: true, tools: [], truncation: 'disabled' },
      ...{ text: { format: { type: 'text' } }, metadata: { run: '1' }, service_tier: 'auto', temperature: 0 },
    };
    const response = await (await post('/v1/responses', body)).json();
    expect(response.output[0].content[0].text).toBe(paris);
    const refused = await post('/v1/responses', { ...body, conversation: 'conv_1' });
    expect((await refused.json()).error).toMatchObject({ param: 'conversation', code: 'unsupported_parameter' });
  });

  it('its Ollama nodes, by Ollama’s client', async () => {
    const client = new Ollama({ host: server.url, headers: { Authorization: 'Bearer any' } });
    const { message } = await client.chat({
      ...{ model, messages: [question], keep_alive: '5m', format: 'json' },
      options: {
        temperature: 0,
        num_ctx: 2048,
        num_predict: 100,
        use_mmap: true,
        low_vram: false,
        penalize_newline: true,
      } as never,
    });
    expect(message.content).toMatch(/^\s*\{/);
  });
});
