// What a server keeps of earlier requests: told truly in `usage`, /health and /metrics, and nothing without a budget.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectedChats, readEvents, startTestServer, type TestServer } from './serve-fixture.ts';

const path = '/v1/chat/completions';
const chat = expectedChats.find(({ tools, messages }) => !tools && messages.length > 1)!;
const MIB = 2 ** 20;

/** Value of a metric. */
async function metric(server: TestServer, name: string): Promise<number> {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  return Number(new RegExp(`^${name} (.*)$`, 'm').exec(text)![1]);
}

describe('a server with a budget', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({ model: { cacheRamBytes: 64 * MIB } });
    await server.ready;
  });
  afterAll(() => server.close());

  it('computes of the next turn what is new', async () => {
    const ask = async (messages: object[]) =>
      (await server.post(path, { messages, temperature: 0, max_tokens: 24 })).json();
    const first = await ask(chat.messages);
    expect(first.usage.prompt_tokens_details.cached_tokens).toBe(0);
    const { content } = first.choices[0].message;
    const next = await ask([
      ...chat.messages,
      { role: 'assistant', content },
      { role: 'user', content: 'And what is the capital of Italy?' },
    ]);
    // All of the first turn and of the reply but its last token, unless the reply is tokenized in another way than it was written.
    expect(next.usage.prompt_tokens_details.cached_tokens).toBeGreaterThanOrEqual(chat.ids.length - 1);
    expect(next.usage.prompt_tokens_details.cached_tokens).toBeLessThan(next.usage.prompt_tokens);
    const again = await ask(chat.messages);
    expect(again.choices[0].message.content).toBe(content);
    expect(again.usage.prompt_tokens_details.cached_tokens).toBe(chat.ids.length - 1);
    expect(await metric(server, 'quern:cached_tokens_total')).toBe(
      next.usage.prompt_tokens_details.cached_tokens + chat.ids.length - 1,
    );
    expect(await metric(server, 'llamacpp:tokens_predicted_total')).toBeGreaterThan(0);
  });

  it('says so when a stop string ends the reply, and in a stream', async () => {
    const body = { messages: chat.messages, temperature: 0, max_tokens: 24 };
    const { choices } = await (await server.post(path, body)).json();
    const stop = choices[0].message.content.slice(3, 6);
    const stopped = await (await server.post(path, { ...body, stop })).json();
    expect(stopped.choices[0].finish_reason).toBe('stop');
    expect(stopped.usage.prompt_tokens_details.cached_tokens).toBe(chat.ids.length - 1);
    const events = await readEvents(
      await server.post(path, { ...body, stream: true, stream_options: { include_usage: true } }),
    );
    expect(events.at(-1).usage.prompt_tokens_details.cached_tokens).toBe(chat.ids.length - 1);
  });

  it('shows what it takes', async () => {
    const { cache, prefix_cache: kept } = await (await fetch(`${server.url}/health`)).json();
    expect(kept.budget_bytes).toBe(64 * MIB);
    expect(kept.bytes).toBeGreaterThan(0);
    expect(kept.bytes).toBeLessThanOrEqual(kept.budget_bytes);
    expect(kept.blocks).toBeGreaterThan(0);
    expect(cache.blocks.peak).toBeGreaterThan(0);
    await expect.poll(async () => await metric(server, 'quern:kv_blocks_used')).toBe(0);
  });
});

it('saves and restores slots in llama-server’s words', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'quern-slots-'));
  const server = await startTestServer({ model: { slotSavePath: folder } });
  await server.ready;
  const body = { messages: chat.messages, temperature: 0, max_tokens: 4 };
  await server.post(path, body);
  const act = async (action: string, request: object) =>
    (await server.post(`/slots/0?action=${action}`, request)).json();
  const saved = await act('save', { filename: 'chat.bin' });
  expect(saved).toMatchObject({ id_slot: 0, filename: 'chat.bin', n_saved: chat.ids.length + 3 });
  expect(await act('erase', {})).toEqual({ id_slot: 0, n_erased: expect.any(Number) });
  expect((await (await server.post(path, body)).json()).usage.prompt_tokens_details.cached_tokens).toBe(0);
  const restored = await act('restore', { filename: 'chat.bin' });
  expect(restored).toMatchObject({ id_slot: 0, n_restored: saved.n_saved, n_read: saved.n_written });
  const listed = await (await fetch(`${server.url}/slots`)).json();
  expect(listed[0]).toMatchObject({ id: 0, is_processing: false, n_prompt_tokens: saved.n_saved });
  for (const [action, request, message] of [
    ['burn', {}, /^action must be/],
    ['save', {}, /^filename: /],
    ['restore', { filename: '../chat.bin' }, /no plain file name/],
  ] as const)
    expect((await act(action, request)).error).toMatchObject({ code: 400, message: expect.stringMatching(message) });
  await server.close();
  rmSync(folder, { recursive: true });
});

it('keeps nothing with a budget of 0', async () => {
  const server = await startTestServer({ model: { cacheRamBytes: 0 } });
  await server.ready;
  for (let i = 0; i < 2; i++) {
    const body = { messages: chat.messages, temperature: 0, max_tokens: 2 };
    const { usage } = await (await server.post(path, body)).json();
    expect(usage.prompt_tokens_details.cached_tokens).toBe(0);
  }
  const { prefix_cache: kept } = await (await fetch(`${server.url}/health`)).json();
  expect(kept).toEqual({ bytes: 0, budget_bytes: 0, blocks: 0, moved_blocks: 0, snapshots: 0 });
  await server.close();
});
