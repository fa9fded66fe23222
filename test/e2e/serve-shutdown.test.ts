// The end of a server's life: running requests finish, new ones are told to come back, and what outlasts the time that it gets ends with
// words in its API's form.

import { serve } from '@quern/serve-command';
import { ManyModels, serveModels } from '@quern/serve-command/server';
import { afterEach, expect, it } from 'vitest';
import { neverEnding, readEvents, startTestServer, type TestServer, tinyLlama } from './serve-fixture.ts';

const path = '/v1/chat/completions';
const messages = [{ role: 'user', content: 'Tell me a story.' }];
/** Nothing is ended by it: whoever waits for it would wait longer than any test may take. */
const never = 2 ** 31 - 1;
const endless = { messages, temperature: 0, ...neverEnding };

let server: TestServer;
afterEach(() => server.close({ graceMs: 0 }));
async function start(options: Parameters<typeof startTestServer>[0] = {}): Promise<void> {
  server = await startTestServer(options);
  await server.ready;
}

it('a running request finishes, and its connection ends then', async () => {
  await start();
  const response = await server.post(path, { messages, temperature: 0, stream: true });
  const closed = server.close({ graceMs: never });
  const events = await readEvents(response);
  expect(events.at(-1).choices[0].finish_reason).toBe('stop');
  await closed;
  await expect(fetch(`${server.url}/health`)).rejects.toThrow();
});

it('while it does, new requests get 503 and when to come back', async () => {
  await start();
  const abort = new AbortController();
  const running = await server.post(path, { ...endless, stream: true }, { signal: abort.signal });
  const closed = server.close({ graceMs: never });
  for (const [response, error] of [
    [await fetch(`${server.url}/health`), { code: 503, type: 'unavailable_error' }],
    [await server.post(path, { messages }), { code: 'shutting_down' }],
  ] as const) {
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toMatch(/^\d+$/);
    expect(response.headers.get('connection')).toBe('close');
    expect((await response.json()).error).toMatchObject(error);
  }
  abort.abort();
  await running.text().catch(() => {});
  await closed;
});

it('a stream that outlasts the time ends with an error event', async () => {
  await start();
  const response = await server.post(path, { ...endless, stream: true });
  const text = response.text();
  const other = await server.post('/v1/responses', { input: 'Tell me a story.', ...neverEnding, stream: true });
  const reader = other.body!.pipeThrough(new TextDecoderStream()).getReader();
  let told = '';
  const readOn = async (): Promise<boolean> => {
    const { done, value = '' } = await reader.read();
    told += value;
    return !done;
  };
  while (!told.includes('output_text.delta')) await readOn();
  const closed = server.close({ graceMs: 50 });
  while (await readOn());
  await closed;
  const events = (await text).split('\n\n').filter(Boolean);
  expect(JSON.parse(events.at(-1)!.replace(/^data: /, ''))).toEqual({
    error: { message: expect.any(String), type: 'overloaded_error', code: 'shutting_down', param: null },
  });
  expect(events.length).toBeGreaterThan(1);
  // What was streamed is in the response that failed.
  const responseEvents = told.split('\n\n').filter(Boolean);
  const all = responseEvents.map((event) => JSON.parse(event.slice(event.indexOf('\ndata: ') + 7)));
  const deltas = all.filter(({ type }) => type === 'response.output_text.delta').map(({ delta }) => delta);
  const [item] = all.at(-1).response.output;
  expect(all.at(-1)).toMatchObject({ type: 'response.failed', response: { status: 'failed' } });
  expect(item).toMatchObject({ status: 'incomplete', content: [{ text: deltas.join('') }] });
  expect(server.records.at(-1)).toMatchObject({ finishReason: 'cancelled' });
});

it('a whole reply that outlasts the time is 503', async () => {
  await start();
  let started = false;
  const { engine } = await server.ready;
  const generate = engine.generateBranches.bind(engine);
  engine.generateBranches = (...request) => {
    started = true;
    return generate(...request);
  };
  const response = server.post(path, endless);
  await expect.poll(() => started, { interval: 5 }).toBe(true);
  await server.close({ graceMs: 0 });
  expect((await response).status).toBe(503);
  expect((await (await response).json()).error.code).toBe('shutting_down');
});

it('connections that wait for nothing do not hold it up', async () => {
  await start();
  // Kept alive by the client.
  expect((await fetch(`${server.url}/health`)).status).toBe(200);
  await server.close({ graceMs: never });
});

it('a signal that came before the server listened ends it', async () => {
  server = await startTestServer();
  const options = {
    ...{
      port: '0',
      queue: '1',
      parallel: '1',
      modelsMax: '1',
      engineTimeout: '0',
      rng: 'quern',
      ctxSize: '64',
      threads: '1',
    },
    ...{ maxBody: '1', timeout: '1', shutdownGrace: '0', quiet: true },
  };
  const context = { signal: AbortSignal.abort() };
  expect(await serve.run({ arguments: [[tinyLlama]], options, context } as never)).toBe(0);
});

it('a stream that waits for its model ends with an error event', async () => {
  let give = (_: Error): void => {};
  const load = () => new Promise<never>((_, reject) => (give = reject));
  const slow = { id: 'slow', aliases: [], reference: tinyLlama, locate: async () => tinyLlama, load };
  const options = { maxLoaded: 1, maxBytes: Number.POSITIVE_INFINITY, keepMs: -1, strict: false };
  const many = await serveModels(new ManyModels([slow], options), { hosts: ['127.0.0.1'], port: 0, maxRequests: 1 });
  const body = JSON.stringify({ model: 'slow', messages, stream: true });
  const { body: stream } = await fetch(many.url + path, { method: 'POST', body });
  const reader = stream!.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  while (!text.includes(': loading')) text += (await reader.read()).value!;
  const closed = many.close({ graceMs: 0 });
  for (let part = await reader.read(); !part.done; part = await reader.read()) text += part.value;
  expect(text).toMatch(/data: \{"error":\{"message":"The server is closing\."/);
  give(new Error('nobody waits any more'));
  await closed;
});
