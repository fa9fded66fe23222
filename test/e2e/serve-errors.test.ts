// What a client gets when a request cannot be answered: OpenAI's error object, the right status, the numbers.
import { copyFile, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { gzipSync } from 'node:zlib';
import { loadServedModel } from '@quern/serve-command/server';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { blockThread } from '../../packages/engine/src/testing/block-thread.ts';
import { neverEnding, startTestServer, type TestServer, tinyLlama } from './serve-fixture.ts';

const path = '/v1/chat/completions';
const hello = [{ role: 'user', content: 'Hi' }];
/** A reply that lasts until it is stopped. */
const endless = { messages: hello, temperature: 0, ...neverEnding };

const errorOf = async (response: Response) => {
  const { error } = await response.json();
  expect(error).toEqual({
    message: expect.stringMatching(/./),
    type: expect.any(String),
    code: expect.any(String),
    param: error.param,
  });
  return { status: response.status, ...error };
};

describe('requests that cannot be answered', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({ maxBodyBytes: 100_000, model: { contextTokens: 128 } });
    await server.ready;
  });
  afterAll(() => server.close());

  it.each(['{"messages": [', '', 'null', '[]', '"text"'])('malformed JSON %j: 400 invalid_json', async (body) => {
    expect(await errorOf(await server.post(path, body))).toMatchObject({ status: 400, code: 'invalid_json' });
  });

  it('any name of a model reaches the only one, whose own name is in the reply; strictly 404 with both names', async () => {
    const request = { model: 'gpt-4', messages: hello, max_tokens: 1 };
    expect(await (await server.post(path, request)).json()).toMatchObject({ model: 'tiny-llama' });
    const strict = await startTestServer({ strictModel: true, aliases: ['small'], page: false });
    await strict.ready;
    const error = await errorOf(await strict.post(path, request));
    // Its further name is one; replies have the first.
    const other = await (await strict.post(path, { ...request, model: 'small' })).json();
    expect(other).toMatchObject({ model: 'tiny-llama' });
    expect((await (await fetch(`${strict.url}/v1/models/small`)).json()).aliases).toEqual(['small']);
    expect((await fetch(strict.url)).status).toBe(404);
    await strict.close();
    expect(error).toMatchObject({ status: 404, code: 'model_not_found', param: 'model' });
    expect(error.message).toMatch(/"gpt-4".*"tiny-llama"/);
  });

  it('a prompt that is too long: 400 with the numbers', async () => {
    const long = [{ role: 'user', content: 'one two three four '.repeat(60) }];
    const error = await errorOf(await server.post(path, { messages: long, stream: true }));
    expect(error).toMatchObject({ status: 400, code: 'context_length_exceeded', param: 'messages' });
    const prompt = Number(/has (\d+) tokens/.exec(error.message)![1]);
    expect(prompt).toBeGreaterThan(240);
    expect(error.message).toContain('128');
  });

  it('a reply that fills the context ends with reason length, not with an error', async () => {
    const reply = await (await server.post(path, { ...endless, max_tokens: 100_000 })).json();
    expect(reply.choices[0].finish_reason).toBe('length');
    expect(reply.usage.total_tokens).toBe(128);
  });

  it.each([
    ['functions', [{ name: 'f' }]],
    ['truncate_prompt_tokens', 5],
    ['id_slot', 1],
  ])('the unsupported field %s = %j: 400, not ignored', async (param, value) => {
    const error = await errorOf(await server.post(path, { messages: hello, [param]: value }));
    expect(error).toMatchObject({ status: 400, code: 'unsupported_parameter', param });
  });

  it.each([
    ['n', 1],
    ['response_format', { type: 'text' }],
    ['tool_choice', 'auto'],
    ['logit_bias', null],
    ['frequency_penalty', 0],
    ['user', 'somebody'],
    ['stop_token_ids', []],
    ['min_tokens', 0],
    ['add_generation_prompt', true],
    ['n_predict', -1],
  ])('the neutral %s = %j passes', async (param, value) => {
    const response = await server.post(path, { messages: hello, max_tokens: 1, [param]: value });
    expect(response.status).toBe(200);
  });

  it.each([
    ['messages', undefined],
    ['messages', []],
    ['messages.0.role', [{ role: 'robot', content: 'x' }]],
    ['messages.0.content', [{ role: 'user', content: 5 }]],
    ['temperature', -1],
    ['top_p', 1.5],
    ['max_tokens', 0],
    ['seed', 1.5],
    ['stop', ['']],
    ['logit_bias', { 4096: 1 }],
    ['stop_token_ids', [4096]],
    ['guided_json', '{"type": '],
    ['structured_outputs.structural_tag', { structural_tag: '<tool>' }],
    ['top_logprobs', 3],
    ['continue_final_message', true],
    ['chat_template_kwargs', { messages: [] }],
    ['tools', ['f', 'f'].map((name) => ({ type: 'function', function: { name } }))],
  ])('a wrong value of %s (%j): 400 naming the field', async (param, value) => {
    const field = param.split('.')[0]!;
    const error = await errorOf(await server.post(path, { messages: hello, [field]: value }));
    expect(error).toMatchObject({ status: 400, code: 'invalid_value' });
    expect(error.param).toContain(field);
  });

  it('a part of a message that is no text: 400 with its place and type', async () => {
    const content = [
      { type: 'text', text: 'What is this?' },
      { type: 'image_url', image_url: { url: 'data:,' } },
    ];
    const error = await errorOf(await server.post(path, { messages: [{ role: 'user', content }] }));
    expect(error).toMatchObject({ status: 400, param: 'messages.0.content.1.type' });
    expect(error.message).toContain('content of type "image_url" is not supported here');
  });

  it.each([
    ['/v1/chat/completions', { messages: hello }, ['error', 'message']],
    ['/completion', { prompt: 'x' }, ['error', 'message']],
    ['/v1/messages', { messages: hello, max_tokens: 1 }, ['error', 'message']],
    ['/v1/responses', { input: 'x' }, ['error', 'message']],
    ['/api/chat', { messages: hello, model: 'tiny' }, ['error']],
  ])('%s: the text of a refusal begins with the field', async (path, body, at) => {
    const response = await server.post(path, { ...body, cache_salt: 'x' });
    let said = await response.json();
    for (const key of at) said = said[key];
    expect([response.status, said]).toEqual([400, expect.stringMatching(/^cache_salt: ./)]);
  });

  it('a call that was cut off or broken comes back in a conversation, which goes on', async () => {
    const call = (text: string) => ({ id: 'c', type: 'function', function: { name: 'f', arguments: text } });
    for (const text of ['{"city": "Par', '{', 'nonsense']) {
      const messages = [...hello, { role: 'assistant', tool_calls: [call(text)] }, { role: 'tool', content: 'no' }];
      expect((await server.post(path, { messages, max_tokens: 1 })).status, text).toBe(200);
      const input = [
        { type: 'function_call', call_id: 'c', name: 'f', arguments: text },
        { type: 'function_call_output', call_id: 'c', output: 'no' },
      ];
      expect((await server.post('/v1/responses', { input, max_output_tokens: 1 })).status, text).toBe(200);
    }
  });

  it('an unknown route: 404', async () => {
    expect(await errorOf(await fetch(`${server.url}/v1/nothing`))).toMatchObject({
      status: 404,
      code: 'unknown_route',
    });
  });

  it('a wrong method: 405 with the right one', async () => {
    const response = await fetch(server.url + path);
    expect(response.headers.get('allow')).toBe('POST');
    expect(await errorOf(response)).toMatchObject({ status: 405, code: 'method_not_allowed' });
    expect((await server.post('/health', {})).status).toBe(405);
  });

  it('a body that is too large: 413, with and without a declared length', async () => {
    const body = JSON.stringify({ messages: [{ role: 'user', content: 'x'.repeat(100_000) }] });
    expect(await errorOf(await server.post(path, body))).toMatchObject({ status: 413, code: 'body_too_large' });
    const stream = new Blob([body]).stream();
    const chunked = await server.post(path, undefined, { body: stream, duplex: 'half' } as RequestInit);
    expect(await errorOf(chunked)).toMatchObject({ status: 413, code: 'body_too_large' });
  });

  it.each(['gzip', 'br', 'gzip, identity'])('a packed body (%s): 415 by name, whatever it holds', async (coding) => {
    const headers = { 'content-type': 'application/json', 'content-encoding': coding };
    const response = await server.post(path, undefined, {
      body: gzipSync(JSON.stringify({ messages: hello })),
      headers,
    });
    expect(response.headers.get('accept-encoding')).toBe('identity');
    const error = await errorOf(response);
    expect(error).toMatchObject({ status: 415, code: 'unsupported_content_encoding' });
    expect(error.message).toContain(coding);
  });
});

describe('a server that is not ready, full, locked or broken', () => {
  /** Those of engines, in the order of their start. */
  let threads: Worker[];
  const watch = (worker: Worker): unknown => threads.push(worker);
  beforeEach(() => {
    threads = [];
    process.on('worker', watch);
  });
  afterEach(() => void process.off('worker', watch));

  it('answers 503 while the model loads, then 200', async () => {
    let proceed = () => {};
    const gate = new Promise<void>((resolve) => (proceed = resolve));
    const load = async () => {
      await gate;
      return loadServedModel(tinyLlama, { threads: 1, contextTokens: 64, cacheTypes: { k: 'Q8_0', v: 'F16' } });
    };
    const server = await startTestServer({ load });
    const early = await fetch(`${server.url}/health`);
    expect(early.headers.get('retry-after')).toBe('1');
    expect(await early.json()).toMatchObject({ error: { code: 503, type: 'unavailable_error' } });
    expect((await server.post(path, { messages: hello })).status).toBe(503);
    proceed();
    await server.ready;
    expect(await (await fetch(`${server.url}/health`)).json()).toEqual({
      status: 'ok',
      cache: {
        ...{ tokens: 64, type_k: 'Q8_0', type_v: 'F16', bytes: 64 * 4 * (128 / 32) * (34 + 64) }, // 4 blocks
        blocks: { total: 2, used: 0, peak: 0 },
      },
      prefix_cache: { bytes: 0, budget_bytes: 512 * 2 ** 20, blocks: 0, moved_blocks: 0, snapshots: 0 },
    });
    await server.close();
  });

  it('turns requests beyond the limit away with 503 and Retry-After, and recovers', async () => {
    const server = await startTestServer({ maxRequests: 2 });
    await server.ready;
    const holders = await Promise.all([1, 2].map(() => server.post(path, { ...endless, stream: true })));
    const turnedAway = await server.post(path, { messages: hello });
    expect(turnedAway.headers.get('retry-after')).toBe('1');
    expect(await errorOf(turnedAway)).toMatchObject({ status: 503, code: 'queue_full' });
    await Promise.all(holders.map((response) => response.body!.cancel()));
    await expect.poll(async () => (await server.post(path, { messages: hello, max_tokens: 1 })).status).toBe(200);
    await server.close();
  });

  it('asks for the key, except for health and the page', async () => {
    const server = await startTestServer({ apiKeys: ['secret'] });
    await server.ready;
    expect(await errorOf(await server.post(path, { messages: hello }))).toMatchObject({
      status: 401,
      type: 'authentication_error',
    });
    const wrong = await fetch(`${server.url}/v1/models`, { headers: { authorization: 'Bearer secre7' } });
    expect(wrong.status).toBe(401);
    const right = await fetch(`${server.url}/v1/models`, { headers: { authorization: 'Bearer secret' } });
    expect(right.status).toBe(200);
    expect((await fetch(`${server.url}/health`)).status).toBe(200);
    expect((await fetch(server.url)).status).toBe(200);
    await server.close();
  });

  it('tells the requests of an engine that dies, and loads the model again for the next, or for a look', async () => {
    const failures: string[] = [];
    const server = await startTestServer({ onFailure: ({ code }) => failures.push(code) });
    const first = await server.ready;
    // As a fault in its thread would end it.
    const dies = async (): Promise<string> => {
      const stream = (await server.post(path, { ...endless, stream: true })).body!;
      const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
      let text = (await reader.read()).value!;
      await threads.at(-1)!.terminate();
      for (let part = await reader.read(); !part.done; part = await reader.read()) text += part.value;
      return text;
    };
    const stream = await dies();
    expect(stream).toMatch(/"error":\{.*"code":"engine-crashed".*\n\n$/);
    expect(stream).not.toContain('[DONE]');
    expect(failures).toEqual(['engine-crashed']);
    const { data } = await (await fetch(`${server.url}/v1/models`)).json();
    expect(data).toMatchObject([{ id: first.id, status: { value: 'failed', error: { code: 'engine-crashed' } } }]);
    // All who ask wait for the one that is being loaded.
    const asked = await Promise.all([1, 2, 3].map(() => server.post(path, { messages: hello, max_tokens: 1 })));
    expect(asked.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(threads).toHaveLength(2);

    await dies();
    const unwell = await (await fetch(`${server.url}/health`)).json();
    expect(unwell).toMatchObject({
      error: { code: 503, message: expect.stringContaining('worker ended unexpectedly') },
    });
    await expect.poll(async () => (await fetch(`${server.url}/health`)).status).toBe(200);
    expect(threads).toHaveLength(3);
    await server.close();
  });

  it('says of an engine that hangs that it does not answer', async () => {
    const server = await startTestServer({ model: { answerMs: 100, silenceMs: 0 } });
    await server.ready;
    await blockThread(threads[0]!);
    for (const look of ['/health', '/metrics', '/slots']) {
      const response = await fetch(server.url + look);
      expect(response.status).toBe(503);
      expect((await response.json()).error.message).toMatch(/has not answered for 0.1 seconds: .* hangs/);
    }
    await threads[0]!.terminate();
    await server.close();
  });

  it('tells the requests of an engine that hangs, and loads the model again', async () => {
    const server = await startTestServer({ model: { answerMs: 100, silenceMs: 2000 } });
    await server.ready;
    const stream = (await server.post(path, { ...endless, stream: true })).body!;
    const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
    let text = (await reader.read()).value!;
    await blockThread(threads.at(-1)!);
    for (let part = await reader.read(); !part.done; part = await reader.read()) text += part.value;
    expect(text).toMatch(/"error":\{.*"code":"engine-hangs".*\n\n$/);
    expect((await server.post(path, { messages: hello, max_tokens: 1 })).status).toBe(200);
    expect(threads).toHaveLength(2);
    // Nobody asks but whoever looks: the engine is found to hang, and is replaced.
    await blockThread(threads.at(-1)!);
    await expect.poll(async () => (await fetch(`${server.url}/health`)).status).toBe(503);
    await expect.poll(async () => (await fetch(`${server.url}/health`)).status).toBe(200);
    expect(threads).toHaveLength(3);
    await server.close();
  });

  it('a file that is gone when its model must be loaded again fails those who ask until it is back', async () => {
    const file = join(await mkdtemp(join(tmpdir(), 'quern-gone-')), 'model.gguf');
    await copyFile(join(tinyLlama, '../arch/llama3/llama.cpp-bf16.gguf'), file);
    const server = await startTestServer({ load: () => loadServedModel(file, { threads: 1, contextTokens: 64 }) });
    await server.ready;
    const ask = () => server.post('/v1/completions', { prompt: [5, 6, 7], max_tokens: 1 });
    await rename(file, `${file}.away`);
    expect((await ask()).status).toBe(200);
    await threads.at(-1)!.terminate();
    const refused = await errorOf(await ask());
    expect(refused).toMatchObject({ status: 500, message: expect.stringContaining('model.gguf') });
    const unwell = await (await fetch(`${server.url}/health`)).json();
    expect(unwell).toMatchObject({ error: { code: 503, message: expect.stringContaining('model.gguf') } });
    await rename(`${file}.away`, file);
    await expect.poll(async () => (await ask()).status).toBe(200);
    await server.close();
    await rm(dirname(file), { recursive: true });
  });
});
