// What the tests of created models share: one server with one model, Ollama's client, and a cache of their own.
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManyModels, modelShelf, type RunningServer, readSources, serveModels } from '@quern/serve-command/server';
import { Ollama } from 'ollama';
import { tinyLlama } from '../serve-fixture.ts';

export const folder = mkdtempSync(join(tmpdir(), 'quern-create-'));
export const cache = join(folder, 'hub');
export const blobs = join(cache, 'quern--created/blobs');
export const models = join(folder, 'models');
export const gguf = readFileSync(`${tinyLlama}/expected/llama.cpp-bf16.gguf`);
export const digestOf = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
export const digest = digestOf(gguf);
export let server: RunningServer;
export let client: Ollama;

/** As `quern serve --models-dir models --allow-changes` is started. */
export async function start(flags: object = {}, named: string[] = []): Promise<void> {
  const given = {
    modelsDir: [models],
    allowChanges: true,
    parallel: '2',
    rng: 'quern',
    threads: '1',
    engineTimeout: '600',
    ...flags,
  };
  const sources = await readSources({ models: named, flags: given as never, modelsAtOnce: 4, locate: {} });
  const options = { maxLoaded: 4, maxBytes: 2 ** 32, keepMs: -1, strict: true };
  const many = new ManyModels(sources.sources, options, sources.find);
  const shelf = modelShelf(many, sources.sourceNamed, sources.created);
  // A file that is sent is larger than a body may be.
  server = await serveModels(many, { hosts: ['127.0.0.1'], port: 0, maxRequests: 16, maxBodyBytes: 2 ** 20, shelf });
  client = new Ollama({ host: server.url });
}
/** Before all tests; what is to be done behind them comes back. */
export async function setUp(): Promise<() => Promise<void>> {
  mkdirSync(models);
  process.env.HF_HUB_CACHE = cache;
  await cp(`${tinyLlama}/expected/llama.cpp-bf16.gguf`, join(models, 'tiny.gguf'));
  await start();
  return async () => {
    await server.close();
    rmSync(folder, { recursive: true });
  };
}

export const send = (name: string, body: string | Uint8Array): Promise<Response> =>
  fetch(`${server.url}/api/blobs/${name}`, { method: 'POST', body: body as BodyInit });
export const sent = (): string[] => {
  try {
    return readdirSync(blobs).sort();
  } catch {
    return [];
  }
};
export const create = (body: object): Promise<Response> =>
  fetch(`${server.url}/api/create`, { method: 'POST', body: JSON.stringify({ stream: false, ...body }) });
export const refusal = async (body: object): Promise<object> => {
  const response = await create(body);
  return { status: response.status, ...((await response.json()) as object) };
};
export const names = async (): Promise<string[]> => (await client.list()).models.map(({ name }) => name).sort();
export const greedy = { temperature: 0, repeat_penalty: 1, num_predict: 12 };
export const hello = { role: 'user', content: 'Hello, who are you?' };
