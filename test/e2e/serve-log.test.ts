// The log of requests: what is logged changes no answer, and what was said is in it only where that was asked for.
import type { ServerOptions } from '@quern/serve-command/server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectedChats, startTestServer, type TestServer } from './serve-fixture.ts';

type Logged = Parameters<NonNullable<ServerOptions['onRequest']>>[0];

const chat = expectedChats.find(({ tools }) => !tools?.length)!;
const asked = { messages: chat.messages, temperature: 0, max_tokens: 12 };
const levels = { silent: undefined, lines: false, contents: true } as const;

describe('a server', () => {
  const servers = new Map<string, { server: TestServer; logged: Logged[] }>();
  beforeAll(async () => {
    for (const [level, logContents] of Object.entries(levels)) {
      const logged: Logged[] = [];
      const onRequest = logContents === undefined ? undefined : (record: Logged) => logged.push(record);
      const server = await startTestServer({ onRequest, logContents });
      await server.ready;
      servers.set(level, { server, logged });
    }
  });
  afterAll(() => Promise.all([...servers.values()].map(({ server }) => server.close())));

  /** Without what differs from answer to answer. */
  const textOf = async (server: TestServer, body: object): Promise<string> => {
    const text = await (await server.post('/v1/chat/completions', body)).text();
    return text.replaceAll(/"id":"[^"]*"|"created":\d+|"timings":\{[^}]*\}/g, '');
  };

  it.each([
    ['whole', asked],
    ['streamed', { ...asked, stream: true }],
    ['refused', { ...asked, max_tokens: 'many' }],
  ])('gives the same answer whatever is logged: %s', async (_, body) => {
    const texts = [];
    for (const { server } of servers.values()) texts.push(await textOf(server, body));
    expect(texts[0]).not.toBe('');
    expect(new Set(texts).size).toBe(1);
  });

  it('logs a line a request, with tokens and without words', async () => {
    const { server, logged } = servers.get('lines')!;
    await textOf(server, asked);
    await expect.poll(() => logged.at(-1)?.generations.length).toBe(1);
    expect(logged.at(-1)).toMatchObject({ method: 'POST', path: '/v1/chat/completions', status: 200 });
    expect(logged.at(-1)!.generations[0]).toMatchObject({ promptTokens: chat.ids.length });
    expect(JSON.stringify(logged)).not.toContain(chat.messages.at(-1)!.content);
    expect(logged.some(({ status }) => status === 400)).toBe(true);
  });

  it('logs what was said where that was asked for', async () => {
    const { server, logged } = servers.get('contents')!;
    const answer = await (await server.post('/v1/chat/completions', asked)).text();
    await expect.poll(() => logged.at(-1)?.contents?.response).toBe(answer);
    expect(JSON.parse(logged.at(-1)!.contents!.request!)).toEqual(asked);
  });

  it('keeps an address on one line', async () => {
    const { server, logged } = servers.get('lines')!;
    await fetch(`${server.url}/a%0Ab%1b%5b31m`);
    await expect.poll(() => logged.at(-1)?.status).toBe(404);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not come through
    expect(logged.at(-1)!.path).not.toMatch(/[\u0000-\u001f]/);
  });
});
