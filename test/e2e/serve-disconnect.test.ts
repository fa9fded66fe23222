// A client that goes away must not keep the engine busy: with one sequence at a time, the next request gets its turn at
// once instead of after the thousand tokens that nobody reads any more.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { neverEnding, startTestServer, type TestServer } from './serve-fixture.ts';

let server: TestServer;
/** Generations that the engine has been asked for. */
let started = 0;
beforeAll(async () => {
  server = await startTestServer({ model: { maxSequences: 1 } });
  const { engine } = await server.ready;
  const generate = engine.generateBranches.bind(engine);
  engine.generateBranches = (...request) => {
    started++;
    return generate(...request);
  };
});
const untilStarted = (count: number) => expect.poll(() => started, { interval: 5 }).toBe(count);
afterAll(() => server.close());

const path = '/v1/chat/completions';
const messages = [{ role: 'user', content: 'Tell me a story.' }];
const endless = { messages, temperature: 0, ...neverEnding };

describe('client disconnect', () => {
  it.each([true, false])('cancels the generation (stream: %s)', async (stream) => {
    const before = server.records.length;
    const abort = new AbortController();
    const running = started + 1;
    const response = server.post(path, { ...endless, stream }, { signal: abort.signal });
    if (stream) await (await response).body!.getReader().read();
    else await untilStarted(running);
    abort.abort();
    await Promise.resolve(response).catch(() => {});

    const next = await server.post(path, { messages, max_tokens: 1 });
    expect(next.status).toBe(200);
    const [cancelled, ended] = server.records.slice(before);
    expect(cancelled).toMatchObject({ finishReason: 'cancelled' });
    expect(cancelled!.completionTokens).toBeLessThan(1000);
    expect(ended).toMatchObject({ finishReason: 'length', completionTokens: 1 });
  });

  it('frees a request that was still waiting for its turn', async () => {
    const before = server.records.length;
    const first = new AbortController();
    const second = new AbortController();
    const both = started + 2;
    const running = server.post(path, endless, { signal: first.signal }).catch(() => {});
    const waiting = server.post(path, endless, { signal: second.signal }).catch(() => {});
    await untilStarted(both);
    second.abort();
    await waiting;
    await expect.poll(() => server.records.length).toBe(before + 1);
    expect(server.records[before]).toMatchObject({ finishReason: 'cancelled', completionTokens: 0 });
    first.abort();
    await running;
    await expect.poll(() => server.records.length).toBe(before + 2);
  });
});
