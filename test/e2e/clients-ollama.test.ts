// Ollama's own client against the server: chat, tools, formats, prompts, vectors, lists; and what is refused.
import { loadServedModel } from '@quern/serve-command/server';
import { Ollama } from 'ollama';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { recordedEmbeddings } from '../golden/forward/recorded-embeddings.ts';
import { expectedChats, startTestServer, type TestServer } from './serve-fixture.ts';

const greedy = { temperature: 0, repeat_penalty: 1 };
const withCall = expectedChats.find(({ greedy_text }) => greedy_text.includes('<tool_call>'))!;
const plain = expectedChats.find(({ tools }) => !tools?.length)!;

describe('a model that chats', () => {
  let server: TestServer;
  let client: Ollama;
  let model: string;
  beforeAll(async () => {
    server = await startTestServer();
    model = (await server.ready).id;
    client = new Ollama({ host: server.url });
  });
  afterAll(() => server.close());

  it('answers as transformers does, whole and streamed', async () => {
    const asked = { model, messages: plain.messages, options: greedy };
    const whole = await client.chat(asked);
    expect(whole.message.content.trim()).toBe(plain.greedy_text.replaceAll(/<\|[^|]*\|>/g, '').trim());
    expect(whole).toMatchObject({ done: true, done_reason: 'stop', prompt_eval_count: plain.ids.length });
    let content = '';
    const reasons: (string | undefined)[] = [];
    for await (const { message, done_reason: reason } of await client.chat({ ...asked, stream: true })) {
      content += message.content;
      reasons.push(reason);
    }
    expect(content).toBe(whole.message.content);
    expect(reasons.at(-1)).toBe('stop');
    expect(reasons.slice(0, -1).every((reason) => reason === undefined)).toBe(true);
  });

  it('tells calls of tools as objects, whole and streamed', async () => {
    const asked = { model, messages: withCall.messages, tools: withCall.tools as never[], options: greedy };
    const { message } = await client.chat(asked);
    expect(message.tool_calls!.length).toBeGreaterThan(0);
    expect(message.tool_calls![0]!.function.arguments).toBeTypeOf('object');
    const streamed = [];
    for await (const part of await client.chat({ ...asked, stream: true }))
      streamed.push(...(part.message.tool_calls ?? []));
    expect(streamed).toEqual(message.tool_calls);
    const again = await client.chat({
      ...asked,
      messages: [...withCall.messages, message, { role: 'tool', tool_name: 'f', content: '21 degrees' }],
    });
    expect(again.done).toBe(true);
  });

  it('holds a reply to a schema', async () => {
    const format = {
      type: 'object',
      properties: { n: { type: 'integer' } },
      required: ['n'],
    };
    const options = { ...greedy, num_predict: 200 };
    const { message } = await client.chat({
      model,
      messages: [{ role: 'user', content: 'A number.' }],
      format,
      options,
    });
    expect(Object.keys(JSON.parse(message.content))).toEqual(['n']);
  });

  it('continues a raw prompt, and a prompt as a message', async () => {
    const raw = await client.generate({
      model,
      prompt: plain.rendered,
      raw: true,
      options: { ...greedy, num_predict: 8 },
    });
    const templated = await client.generate({
      model,
      prompt: 'Hello',
      system: 'Be brief.',
      options: { ...greedy, num_predict: 8 },
    });
    expect(raw.response).not.toBe('');
    expect(templated).toMatchObject({ done: true, eval_count: expect.any(Number) });
    let text = '';
    const asked = {
      model,
      prompt: plain.rendered,
      raw: true,
      stream: true as const,
      options: { ...greedy, num_predict: 8 },
    };
    for await (const part of await client.generate(asked)) text += part.response;
    expect(text).toBe(raw.response);
  });

  it('tells log probabilities', async () => {
    const asked = {
      model,
      prompt: 'Once',
      raw: true,
      logprobs: true,
      top_logprobs: 2,
      options: { ...greedy, num_predict: 3 },
    };
    const { logprobs } = await client.generate(asked);
    expect(logprobs).toHaveLength(3);
    expect(logprobs![0]!.top_logprobs).toHaveLength(2);
  });

  it('goes on with the context of an earlier prompt, which is what was read and written', async () => {
    const said = plain.messages.at(-1)!.content;
    const system = plain.messages[0]!.role === 'system' ? plain.messages[0]!.content : '';
    expect(plain.messages).toHaveLength(system ? 2 : 1);
    const { context } = await client.generate({ model, prompt: said, system, options: greedy });
    expect(context).toEqual([...plain.ids, ...plain.greedy_ids]);
    const next = { model, prompt: 'And then?', options: greedy };
    const { context: whole, response } = await client.generate({ ...next, context });
    const { prompt: rendered } = await (
      await server.post('/apply-template', { messages: [{ role: 'user', content: 'And then?' }] })
    ).json();
    const { tokens } = await (await server.post('/tokenize', { content: rendered, parse_special: true })).json();
    const prompt = [...context, ...tokens.slice(1)]; // a text begins once
    expect(whole.slice(0, prompt.length)).toEqual(prompt);
    const told = await (await server.post('/completion', { prompt, n_predict: 400, ...greedy })).json();
    expect(response).toBe(told.content);
    let streamed: number[] | undefined;
    for await (const part of await client.generate({ ...next, context, stream: true })) streamed = part.context;
    expect(streamed).toEqual(whole);
  });

  it('lists what there is', async () => {
    expect((await client.list()).models.map(({ name }) => name)).toEqual([model]);
    expect((await client.ps()).models[0]).toMatchObject({ name: model, details: { family: 'llama' } });
    const shown = await client.show({ model: `${model}:latest` });
    expect(shown.capabilities).toEqual(expect.arrayContaining(['completion', 'tools']));
    expect(shown.template).toContain('im_start');
    expect((await client.version()).version).toMatch(/^\d+\.\d+\.\d+$/);
  });

  it('loads on an empty request, in words of its own', async () => {
    const response = await server.post('/api/generate', { model });
    expect(await response.json()).toMatchObject({ done: true, done_reason: 'load', response: '' });
  });

  it.each([
    ['an option that is none', '/api/chat', { options: { temprature: 1 } }, /temprature/],
    ['a context that is longer than reserved', '/api/chat', { options: { num_ctx: 10 ** 6 } }, /1000000/],
    ['images', '/api/generate', { prompt: 'x', images: ['aGk='] }, /images/],
    ['tokens that are none', '/api/generate', { prompt: 'x', context: [1e9] }, /context has token 1000000000/],
    ['a context of a raw prompt', '/api/generate', { prompt: 'x', raw: true, context: [1] }, /^context: a raw/],
    ['a template', '/api/generate', { prompt: 'x', template: '{{ .Prompt }}' }, /template/],
    ['a time that is none', '/api/chat', { keep_alive: 'soon' }, /keep_alive/],
    [
      'a schema that cannot be enforced',
      '/api/chat',
      { format: { type: 'array', uniqueItems: true, items: {} } },
      /^format: /,
    ],
    [
      'a schema that cannot be enforced, for a raw prompt',
      '/api/generate',
      { prompt: 'x', raw: true, format: { type: 'array', uniqueItems: true, items: {} } },
      /^format: /,
    ],
    ['top_logprobs alone', '/api/chat', { top_logprobs: 2 }, /top_logprobs/],
  ])('refuses %s with 400 and a text', async (_, path, fields, words) => {
    const messages = [{ role: 'user', content: 'x' }];
    const response = await server.post(path, { model, messages, ...fields });
    expect(response.status).toBe(400);
    const { error } = (await response.json()) as { error: string };
    expect(error).toMatch(words);
  });

  it('says what is done by commands instead', async () => {
    await expect(client.pull({ model: 'a/b' })).rejects.toThrow(/quern pull/);
    await expect(client.delete({ model })).rejects.toThrow(/quern rm/);
  });
});

describe('an embedding model', () => {
  it('makes the vectors of transformers, of length 1', async () => {
    const folder = new URL('../models/arch/roberta', import.meta.url).pathname;
    const { texts, vectors } = recordedEmbeddings(folder);
    const server = await startTestServer({ load: () => loadServedModel(folder, { threads: 1, alias: 'roberta' }) });
    await server.ready;
    const client = new Ollama({ host: server.url });
    const { embeddings } = await client.embed({ model: 'roberta', input: texts });
    const flat = embeddings.flat();
    expect(Math.max(...flat.map((value, i) => Math.abs(value - vectors[i]!)))).toBeLessThan(1e-6);
    const { embedding } = await client.embeddings({ model: 'roberta', prompt: texts[0]! });
    expect(embedding).toHaveLength(vectors.length / texts.length);
    await server.close();
  });
});
