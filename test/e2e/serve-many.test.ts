// One server, many models: real engines on the loopback. What answers is told by the tokens: each tiny model has its own vocabulary
// and weights, so a reply of the wrong one would not be the reply that the model gives alone.
import { readFileSync } from 'node:fs';
import { copyFile, mkdtemp, rename, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import Anthropic from '@anthropic-ai/sdk';
import {
  type LoadServedModelOptions,
  loadServedModel,
  ManyModels,
  type ManyModelsOptions,
  type ModelSource,
  serveModels,
} from '@quern/serve-command/server';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { blockThread } from '../../packages/engine/src/testing/block-thread.ts';
import { root } from './cli-fixture.ts';
import { tinyLlama } from './serve-fixture.ts';

let dir: string;
const files: Record<string, string> = {};
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'quern-many-'));
  for (const name of ['llama3', 'qwen2', 'mistral']) {
    files[name] = join(dir, `${name}.gguf`);
    await copyFile(join(root, `test/models/arch/${name}/llama.cpp-bf16.gguf`), files[name]!);
  }
  files.tiny = tinyLlama;
});
const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});
afterAll(() => rm(dir, { recursive: true }));

interface Started {
  readonly models: ManyModels;
  readonly url: string;
  post(path: string, body: object, init?: RequestInit): Promise<Response>;
  status(id: string): Promise<{ value: string; error?: { message: string } }>;
}

async function start(
  names: readonly string[],
  options: Partial<ManyModelsOptions> = {},
  { cacheTokens = 256, ...limits }: Pick<LoadServedModelOptions, 'cacheTokens' | 'silenceMs' | 'answerMs'> = {},
): Promise<Started> {
  const sources = names.map(
    (id): ModelSource => ({
      reference: files[id]!,
      id,
      aliases: [`${id}-alias`],
      cacheTokens,
      locate: async () => files[id]!,
      load: (path, onProgress) =>
        loadServedModel(path, {
          alias: id,
          threads: 1,
          contextTokens: 256,
          cacheTokens,
          cacheRamBytes: 2 ** 20,
          ...limits,
          onProgress,
        }),
    }),
  );
  const models = new ManyModels(sources, { maxLoaded: 1, maxBytes: 2 ** 32, keepMs: -1, strict: false, ...options });
  const server = await serveModels(models, { hosts: ['127.0.0.1'], port: 0, maxRequests: 100 });
  closers.push(() => server.close({ graceMs: 1000 }));
  const post: Started['post'] = (path, body, init) =>
    fetch(server.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      ...init,
    });
  const status: Started['status'] = async (id) => (await (await fetch(`${server.url}/v1/models/${id}`)).json()).status;
  return { models, url: server.url, post, status };
}

const ask = async (
  server: Started,
  model: string,
): Promise<{ status: number; model: string; text: string; error?: { message: string; code: string } }> => {
  const response = await server.post('/v1/completions', { model, prompt: [5, 6, 7], temperature: 0, max_tokens: 8 });
  const body = await response.json();
  return { status: response.status, model: body.model, text: body.choices?.[0]?.text, error: body.error };
};

/** What each model says when it is alone. */
const alone: Record<string, string> = {};
beforeAll(async () => {
  for (const name of Object.keys(files)) alone[name] = (await ask(await start([name]), name)).text;
  expect(new Set(Object.values(alone)).size).toBe(Object.keys(files).length);
});

it('with one place, requests for several unloaded models at the same moment are all served, each by its own', async () => {
  const names = Object.keys(files);
  const server = await start(names);
  const asked = [...names, ...names, ...names];
  const replies = await Promise.all(asked.map((name) => ask(server, name)));
  expect(replies.map(({ status }) => status)).toEqual(asked.map(() => 200));
  expect(replies.map(({ model }) => model)).toEqual(asked);
  expect(replies.map(({ text }) => text)).toEqual(asked.map((name) => alone[name]));
  expect(server.models.loaded()).toHaveLength(1);
});

it('names what answers: aliases do, others get 404 with the nearest, none gets 400, and one model answers to any', async () => {
  const server = await start(['llama3', 'qwen2']);
  expect(await ask(server, 'qwen2-alias')).toMatchObject({ status: 200, model: 'qwen2', text: alone.qwen2 });
  expect(await ask(server, 'lama3')).toMatchObject({ status: 404, error: { code: 'model_not_found' } });
  expect((await ask(server, 'lama3')).error!.message).toContain('Did you mean "llama3"');
  expect(await ask(server, '')).toMatchObject({ status: 400, error: { code: 'model_required' } });
  const one = await start(['qwen2']);
  expect(await ask(one, 'gpt-4o')).toMatchObject({ status: 200, model: 'qwen2', text: alone.qwen2 });
  const strict = await start(['qwen2'], { strict: true });
  expect(await ask(strict, 'gpt-4o')).toMatchObject({ status: 404 });
});

it('a streamed reply begins while its model is loaded, and tells so in comments; what fails is told in it', async () => {
  const server = await start(['llama3', 'qwen2']);
  const request = { prompt: [5, 6, 7], temperature: 0, max_tokens: 8, stream: true };
  const [first, second] = await Promise.all(
    ['llama3', 'qwen2'].map(async (model) => (await server.post('/v1/completions', { ...request, model })).text()),
  );
  expect(first).toMatch(/^: (loading|waiting for a place)/);
  expect(second).toMatch(/^: (loading|waiting for a place)/);
  const said = (stream: string) =>
    stream
      .split('\n\n')
      .filter((line) => line.startsWith('data: {'))
      .map((line) => JSON.parse(line.slice(6)).choices[0].text)
      .join('');
  expect([said(first!), said(second!)]).toEqual([alone.llama3, alone.qwen2]);
  expect(first).toMatch(/data: \[DONE\]\n\n$/);
  await server.post('/models/unload', { model: 'qwen2' });
  await server.post('/models/unload', { model: 'llama3' });
  while (server.models.loaded().length > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  const refused = await server.post('/v1/completions', { ...request, model: 'qwen2', prompt: [1e6] });
  expect(await refused.text()).toMatch(/^: (loading|waiting)[\s\S]*data: \{"error":/);
  expect(await ask(server, 'qwen2')).toMatchObject({ text: alone.qwen2 });
});

it('tells of each model: loaded, unloaded, loaded and unloaded on request', async () => {
  const server = await start(['llama3', 'qwen2'], { maxLoaded: 2 });
  const list = async () => (await (await fetch(`${server.url}/models`)).json()).data;
  expect((await list()).map(({ id, status }: { id: string; status: object }) => [id, status])).toEqual([
    ['llama3', { value: 'unloaded' }],
    ['qwen2', { value: 'unloaded' }],
  ]);
  expect(await (await server.post('/models/load', { model: 'llama3' })).json()).toEqual({
    success: true,
    model: 'llama3',
  });
  expect(await server.status('llama3')).toMatchObject({ value: 'loaded' });
  for (const path of ['slots', 'metrics', 'health']) {
    expect((await fetch(`${server.url}/${path}?model=llama3`)).status, path).toBe(200);
    expect((await fetch(`${server.url}/${path}?model=qwen2`)).status, path).toBe(503);
    expect((await fetch(`${server.url}/${path}?model=nope`)).status, path).toBe(404);
  }
  expect(await (await fetch(`${server.url}/health`)).json()).toMatchObject({
    status: 'ok',
    models: [
      { id: 'llama3', status: 'loaded' },
      { id: 'qwen2', status: 'unloaded' },
    ],
  });
  await server.post('/models/unload', { model: 'llama3' });
  const told = new Set<string>();
  while (!told.has('unloaded')) told.add((await server.status('llama3')).value);
  // Its engine ends because it was told to.
  expect([...told]).not.toContain('failed');
  expect(await ask(server, 'llama3')).toMatchObject({ text: alone.llama3 });
});

it('a model goes when nobody asks, and who holds it keeps it', async () => {
  const keepMs = 50;
  const server = await start(['llama3'], { keepMs });
  const lease = await server.models.acquire('llama3', new AbortController().signal);
  const shared = lease.share();
  lease.release();
  const begun = Date.now();
  while (Date.now() < begun + 2 * keepMs) expect((await server.status('llama3')).value).toBe('loaded');
  shared.release();
  while ((await server.status('llama3')).value !== 'unloaded') await new Promise((resolve) => setTimeout(resolve, 5));
  expect(await ask(server, 'llama3')).toMatchObject({ text: alone.llama3 });
});

it('a file that disappears or is damaged is an error for its requests alone, and the next one tries again', async () => {
  const server = await start(['llama3', 'qwen2']);
  const kept = join(dir, 'kept.gguf');
  await rename(files.llama3!, kept);
  const [gone, other] = await Promise.all([ask(server, 'llama3'), ask(server, 'qwen2')]);
  expect(gone.status).toBe(500);
  expect(gone.error!.message).toContain('llama3.gguf');
  expect(other).toMatchObject({ status: 200, text: alone.qwen2 });
  expect(await server.status('llama3')).toMatchObject({ value: 'failed', error: { message: gone.error!.message } });
  await copyFile(kept, files.llama3!);
  await truncate(files.llama3!, 5000);
  expect((await ask(server, 'llama3')).status).toBe(500);
  await rename(kept, files.llama3!);
  expect(await ask(server, 'llama3')).toMatchObject({ status: 200, text: alone.llama3 });
});

/** Loads a model, and gives the thread of its engine. */
async function threadOf(name: string, server: Started): Promise<Worker> {
  const threads: Worker[] = [];
  const watch = (worker: Worker): unknown => threads.push(worker);
  process.on('worker', watch);
  await ask(server, name);
  process.off('worker', watch);
  return threads.at(-1)!;
}

/** Resolves when the engine of a model that is loaded has been asked for a reply. */
function untilAsked(name: string, { models }: Started): Promise<void> {
  const { engine } = models.loaded().find(({ id }) => id === name)!;
  const generate = engine.generateBranches.bind(engine);
  return new Promise((resolve) => {
    engine.generateBranches = (...request) => {
      resolve();
      return generate(...request);
    };
  });
}

it('an engine that dies fails its own requests; the others live, and the next request has it again', async () => {
  const server = await start(['llama3', 'qwen2'], { maxLoaded: 2 });
  await ask(server, 'qwen2');
  const thread = await threadOf('llama3', server);
  // It stands still, so that the reply cannot be there before the end.
  await blockThread(thread);
  const asked = untilAsked('llama3', server);
  const waiting = ask(server, 'llama3');
  await asked;
  // As a fault in its thread would end it.
  await thread.terminate();
  expect(await waiting).toMatchObject({ status: 500, error: { code: 'engine-crashed' } });
  expect(await ask(server, 'qwen2')).toMatchObject({ status: 200, text: alone.qwen2 });
  expect(await server.status('llama3')).toMatchObject({ value: 'failed' });
  expect((await fetch(`${server.url}/health`)).status).toBe(200);
  expect(await ask(server, 'llama3')).toMatchObject({ status: 200, text: alone.llama3 });
});

it('an engine that hangs is told apart from the others, which answer', async () => {
  const server = await start(['llama3', 'qwen2'], { maxLoaded: 2 }, { answerMs: 100, silenceMs: 0 });
  await ask(server, 'qwen2');
  const thread = await threadOf('llama3', server);
  await blockThread(thread);
  const waiting = ask(server, 'llama3');
  const health = async () => (await (await fetch(`${server.url}/health`)).json()).models;
  // On a busy machine the other one may be late now and then.
  await expect.poll(health).toMatchObject([
    {
      id: 'llama3',
      status: 'not_answering',
      error: { code: 'engine-not-answering', message: expect.stringContaining('hangs') },
    },
    { id: 'qwen2', status: 'loaded', cache: { blocks: { used: 0 } } },
  ]);
  expect((await fetch(`${server.url}/health?model=llama3`)).status).toBe(503);
  expect(await ask(server, 'qwen2')).toMatchObject({ status: 200, text: alone.qwen2 });
  await thread.terminate();
  expect(await waiting).toMatchObject({ status: 500, error: { code: 'engine-crashed' } });
});

it('an engine that hangs for long is ended, and there again for the next request', async () => {
  const server = await start(['llama3'], {}, { silenceMs: 2000 });
  await blockThread(await threadOf('llama3', server));
  expect(await ask(server, 'llama3')).toMatchObject({ status: 500, error: { code: 'engine-hangs' } });
  expect(await ask(server, 'llama3')).toMatchObject({ status: 200, text: alone.llama3 });
});

it('what is larger than the memory for models is refused with both numbers', async () => {
  const server = await start(['llama3'], { maxBytes: 1000 });
  expect(await ask(server, 'llama3')).toMatchObject({ status: 503, error: { code: 'model_too_large' } });
  expect((await ask(server, 'llama3')).error!.message).toMatch(/about \d+ KiB; .* 1000 B/);
});

it.skipIf(process.platform !== 'linux')(
  'gives the memory of what it unloads back, ten times (asked of /proc)',
  async () => {
    const server = await start(['llama3', 'qwen2'], {}, { cacheTokens: 1 << 16 });
    const load = async (name: string): Promise<number> => {
      await ask(server, name);
      return server.models.loaded()[0]!.engine.info.memory.kvBytes;
    };
    // What is reserved, not what was touched: the pages of a cache that holds eight tokens are never written.
    const reserved = (): number => 1024 * Number(/VmSize:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))![1]);
    const kvBytes = Math.min(await load('llama3'), await load('qwen2'));
    const before = reserved();
    for (let i = 0; i < 5; i++) for (const name of ['llama3', 'qwen2']) await load(name);
    expect(kvBytes).toBeGreaterThan(1e7);
    expect(reserved() - before).toBeLessThan(4 * kvBytes);
  },
);

it('lists models page by page to Anthropic’s clients, none of them loaded for it', async () => {
  const names = ['llama3', 'qwen2', 'mistral'];
  const { url } = await start(names);
  const client = new Anthropic({ baseURL: url, apiKey: 'any', maxRetries: 0 });
  const seen: string[] = [];
  for await (const model of client.models.list({ limit: 2 })) {
    expect(model).toMatchObject({ max_input_tokens: null });
    seen.push(model.id);
  }
  expect(seen).toEqual(names);
  const before = await client.models.list({ before_id: 'mistral', limit: 1 });
  expect([before.data.map(({ id }) => id), before.has_more]).toEqual([['qwen2'], true]);
  await expect(client.models.list({ after_id: 'other' })).rejects.toMatchObject({ status: 400 });
  await expect(client.models.list({ limit: 0 })).rejects.toMatchObject({ status: 400 });
});
