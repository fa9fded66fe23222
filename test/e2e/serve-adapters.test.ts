// Adapters of a server: what a request asks for, and what it gets when it does not say.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { knownTensor, writeAdapterFolder } from '../adapter-folder.ts';
import { startTestServer, type TestServer } from './serve-fixture.ts';

const folder = mkdtempSync(join(tmpdir(), 'quern-adapters-'));
const adapter = (name: string, seed: number): string =>
  writeAdapterFolder(join(folder, name), { peft_type: 'LORA', r: 2, lora_alpha: 4 }, [
    knownTensor('base_model.model.model.layers.0.mlp.up_proj.lora_A.weight', [2, 256], seed),
    knownTensor('base_model.model.model.layers.0.mlp.up_proj.lora_B.weight', [768, 2], seed + 1),
  ]);

let server: TestServer;
beforeAll(async () => {
  const adapters = [
    { path: adapter('a', 0), scale: 1 },
    { path: adapter('b', 50), scale: 0 },
  ];
  server = await startTestServer({ model: { maxSequences: 4, adapters } });
  await server.ready;
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

/** What the reply and its probabilities are; the latter tell adapters apart that say the same. */
async function complete(lora?: unknown): Promise<string> {
  const body = {
    prompt: 'In the beginning',
    max_tokens: 6,
    temperature: 0,
    logprobs: 0,
    ...(lora !== undefined && { lora }),
  };
  const { choices } = await (await server.post('/v1/completions', body)).json();
  return JSON.stringify(choices[0].logprobs.token_logprobs.map((value: number) => value.toFixed(3)));
}

it('a request that does not say gets the adapters as they were loaded, and one that does what it asks for', async () => {
  const asLoaded = await complete();
  expect(await complete([{ id: 0, scale: 1 }])).toBe(asLoaded);
  expect(await complete([])).toBe(asLoaded);
  const others = [[{ id: 0, scale: 0 }], [{ id: 1, scale: 1 }], [{ id: 0, scale: 0.5 }]];
  const replies = await Promise.all(others.map(complete));
  expect(new Set([asLoaded, ...replies]).size).toBe(4);
  // Alone, and again from what is kept.
  for (const [i, lora] of others.entries()) expect(await complete(lora)).toBe(replies[i]);
});

it('POST /lora-adapters changes what requests get that do not say', async () => {
  const list = async () => (await fetch(`${server.url}/lora-adapters`)).json();
  const asLoaded = await complete();
  expect(await list()).toMatchObject([
    { id: 0, scale: 1, path: expect.stringMatching(/a$/) },
    { id: 1, scale: 0, path: expect.stringMatching(/b$/) },
  ]);
  expect(await (await server.post('/lora-adapters', [{ id: 1, scale: 0.5 }])).json()).toEqual({ success: true });
  expect(await list()).toMatchObject([{ scale: 0 }, { scale: 0.5 }]);
  expect(await complete()).toBe(await complete([{ id: 1, scale: 0.5 }]));
  for (const wrong of [[{ id: 7, scale: 1 }], [{ id: 0 }], { id: 0, scale: 1 }])
    expect((await server.post('/lora-adapters', wrong)).status).toBe(400);
  await server.post('/lora-adapters', [{ id: 0, scale: 1 }]);
  expect(await complete()).toBe(asLoaded);
});

it.each([
  [[{ id: 2, scale: 1 }], /only 2 are loaded/],
  [[{ id: 0 }], /scale/],
  [[{ id: -1, scale: 1 }], /id/],
  [[{ id: 0, scale: 1e9 }], /scale/],
  ['all', /lora/],
])('%j is refused', async (lora, message) => {
  const response = await server.post('/v1/completions', { prompt: 'Hi', lora });
  expect(response.status).toBe(400);
  expect((await response.json()).error.message).toMatch(message);
});
