// What clients do by mistake or on purpose: bodies of every wrong kind, depth, half-sent requests, readers that do not read, clients
// that vanish by the hundred. Each is told, or its connection is ended; the next request is answered.
import { once } from 'node:events';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bytesInUse } from '../../packages/engine/src/testing/collect-garbage.ts';
import { neverEnding, startTestServer, type TestServer } from './serve-fixture.ts';

const path = '/v1/chat/completions';
const messages = [{ role: 'user', content: 'Hi' }];
const endless = { messages, temperature: 0, ...neverEnding };

const MIB = 2 ** 20;
const piece = Buffer.alloc(MIB, ' ');

let server: TestServer;
/** With so little patience that a test can wait until it is over. */
let hasty: TestServer;
/** The codes of what the server calls its own failures. */
const failures: string[] = [];
beforeAll(async () => {
  const onFailure = ({ code, message }: { code: string; message: string }) => failures.push(`${code}: ${message}`);
  server = await startTestServer({ maxRequests: 300, onFailure, model: { maxSequences: 2 } });
  hasty = await startTestServer({ timeoutMs: 5000, onFailure, model: { maxSequences: 2 } });
  await Promise.all([server.ready, hasty.ready]);
});
afterAll(() => Promise.all([server.close({ graceMs: 0 }), hasty.close({ graceMs: 0 })]));

const errorOf = async (response: Response) => ({ status: response.status, ...(await response.json()).error });
const nested = (depth: number): string => `${'{"a":['.repeat(depth)}1${']}'.repeat(depth)}`;
/** The server answers, and takes nothing that happened for a failure of its own. */
async function expectWell(): Promise<void> {
  expect((await server.post(path, { messages, max_tokens: 1 })).status).toBe(200);
  expect(failures).toEqual([]);
}

describe('bodies', () => {
  it.each([
    ['chat_template_kwargs', `{"messages":[{"role":"user","content":"x"}],"chat_template_kwargs":${nested(10_000)}}`],
    ['tools', `{"messages":[{"role":"user","content":"x"}],"tools":[${nested(10_000)}]}`],
    ['messages.0', `{"messages":[{"role":"user","content":"x","more":${nested(10_000)}}]}`],
    ['response_format', `{"messages":[{"role":"user","content":"x"}],"response_format":${nested(10_000)}}`],
    ['guided_json', JSON.stringify({ messages, guided_json: nested(10_000) })],
    ['structured_outputs.json', JSON.stringify({ messages, structured_outputs: { json: nested(10_000) } })],
    [
      'messages.0.tool_calls.0.function.arguments',
      JSON.stringify({
        messages: [
          { role: 'assistant', tool_calls: [{ function: { name: 'f', arguments: `{"a":${nested(10_000)}}` } }] },
        ],
      }),
    ],
  ])('%s ten thousand levels deep: 400 with the path', async (param, body) => {
    const error = await errorOf(await server.post(path, body));
    expect(error.status).toBe(400);
    expect(error.param).toContain(param);
    expect(error.message).toContain('nested deeper than');
    await expectWell();
  });

  it.each([
    ['{"messages": [{"role": "user", "content": "x",}]}', 'messages.0', 'line 1, column 47'],
    ['{"messages": [{"role": "user"\n "content": "x"}]}', 'messages.0.role', 'line 2, column 2'],
    ['{"messages": True}', 'messages', 'found "T"'],
    ['prompt=x', null, 'found "p"'],
    ['', null, 'empty'],
  ])('%j: 400 with the place', async (body, param, message) => {
    const error = await errorOf(await server.post(path, body));
    expect(error).toMatchObject({ status: 400, code: 'invalid_json', param });
    expect(error.message).toContain(message);
  });

  it('what is no UTF-8: 400', async () => {
    const latin1 = Buffer.from('{"messages":[{"role":"user","content":"\xe9"}]}', 'latin1');
    const response = await server.post(path, undefined, { body: latin1 });
    expect(await errorOf(response)).toMatchObject({ status: 400, code: 'invalid_json' });
  });

  it.each([
    ['that says so', { 'content-length': 64 * MIB }],
    ['in pieces', {}],
  ])('64 MiB, %s: 413, and no more of it is read than may come', async (_, headers) => {
    const call = request(server.url + path, { method: 'POST', headers });
    let sent = 0;
    const write = (): void => {
      while (sent < 64 && !call.destroyed) {
        sent++;
        if (!call.write(piece)) return;
      }
    };
    call.on('drain', write).on('error', () => {}); // the server does not wait for the rest
    write();
    const [response] = await once(call, 'response');
    call.destroy();
    expect(response.statusCode).toBe(413);
    expect(sent).toBeLessThan(40);
    await expectWell();
  });

  it('equal keys, and names of prototypes, are values like others', async () => {
    const body = `{"messages":[],"messages":${JSON.stringify(messages)},"max_tokens":1,"__proto__":{"n":500},"constructor":1}`;
    expect((await server.post(path, body)).status).toBe(200);
  });
});

describe('routes', () => {
  it.each(['/v1/models/', '/models', '/health/', '/v1/health'])('GET and HEAD %s', async (route) => {
    expect((await fetch(server.url + route)).status).toBe(200);
    const head = await fetch(server.url + route, { method: 'HEAD' });
    expect(head.status).toBe(200);
    expect(await head.text()).toBe('');
  });

  it('POST /chat/completions', async () => {
    expect((await server.post('/chat/completions/', { messages, max_tokens: 1 })).status).toBe(200);
  });
});

/** A connection that says `text` and then nothing. */
async function half(text: string, { url } = server): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.write(text);
  return socket;
}
const closed = (socket: Socket): Promise<unknown> => (socket.closed ? Promise.resolve() : once(socket, 'close'));

describe('connections', () => {
  // Side by side: each waits for the time to run out.
  it.concurrent.each([
    ['nothing', ''],
    ['half a head', `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-`],
  ])('one that sends %s is ended', async (_, text) => {
    const socket = await half(text, hasty);
    socket.resume();
    await closed(socket);
  });

  const tooSlow = { message: expect.stringMatching(/did not come within [\d.]+ s/), type: 'timeout_error' };
  const openAi = { error: { ...tooSlow, code: 'request_too_slow', param: null } };
  it.concurrent.each([
    ['half a body', path, `Content-Length: 100\r\n\r\n{"messages":`, openAi],
    ['half of a large body', path, `Content-Length: 9000000\r\n\r\n{"messages":`, openAi],
    ['half a chunk', path, `Transfer-Encoding: chunked\r\n\r\n5\r\n{"me`, openAi],
    ['half a message', '/v1/messages?beta=true', 'Content-Length: 100\r\n\r\n{', { type: 'error', error: tooSlow }],
    ['half a chat', '/api/chat', 'Content-Length: 100\r\n\r\n{', { error: tooSlow.message, code: 'request_too_slow' }],
  ])('one that sends %s is told that it was too slow, as its API tells it', async (_, route, rest, told) => {
    const socket = await half(`POST ${route} HTTP/1.1\r\nHost: localhost\r\n${rest}`);
    let answer = '';
    socket.on('data', (data) => (answer += data));
    await closed(socket);
    expect(answer).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/);
    expect(JSON.parse(answer.split('\r\n\r\n')[1]!)).toMatchObject(told);
  });

  it.each([
    ['no HTTP', 'HELLO\r\n\r\n', 'invalid_http'],
    [
      'two lengths',
      `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n`,
      'invalid_http',
    ],
    [
      'half a body and no more',
      `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\n{`,
      'body_incomplete',
    ],
  ])('one that sends %s is told what was wrong', async (_, text, code) => {
    const socket = await half(text);
    let answer = '';
    socket.on('data', (data) => (answer += data));
    socket.end();
    await closed(socket);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(JSON.parse(answer.split('\r\n\r\n')[1]!).error).toMatchObject({ code, type: 'invalid_request_error' });
    await expectWell();
  });

  it('a head without end is refused', async () => {
    const socket = await half(`GET /health HTTP/1.1\r\nHost: localhost\r\nX-Long: ${'x'.repeat(100_000)}\r\n\r\n`);
    let answer = '';
    socket.on('data', (data) => (answer += data));
    await closed(socket);
    expect(answer).toMatch(/^HTTP\/1\.1 431 Request Header Fields Too Large\r\n/);
    expect(JSON.parse(answer.split('\r\n\r\n')[1]!).error).toMatchObject({ code: 'headers_too_large' });
  });

  it('a reader that reads nothing is ended, and its generation with it; until then little is kept for it', async () => {
    const { engine } = await hasty.ready;
    const before = hasty.records.length;
    const keptBefore = bytesInUse();
    let most = 0;
    // More than the buffers of the system hold: every token with twenty others.
    const body = JSON.stringify({ ...endless, stream: true, logprobs: true, top_logprobs: 20, n: 8 });
    const socket = await half(
      `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
      hasty,
    );
    socket.pause();
    const ended = (): number => {
      most = Math.max(most, bytesInUse() - keptBefore);
      return hasty.records.length - before;
    };
    await expect.poll(ended, { interval: 1000 }).toBe(8);
    // Two thousand tokens with twenty others each, and what the client itself has not read.
    expect(most).toBeLessThan(64 * MIB);
    socket.resume();
    await closed(socket);
    expect(hasty.records.slice(before).some(({ finishReason }) => finishReason === 'cancelled')).toBe(true);
    await expect.poll(async () => (await engine.stats()).blocks.used, { interval: 5 }).toBe(0);
    await expectWell();
  });
});

describe('large bodies', () => {
  it('that come slowly give way to others', async () => {
    const maxBodyBytes = 2 ** 21;
    const own = await startTestServer({ maxBodyBytes });
    await own.ready;
    const start = `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${maxBodyBytes}\r\n\r\n{"messages":`;
    // As many as there is room for, each of which sends a byte now and then.
    const slow = await Promise.all(Array.from({ length: 4 }, () => half(start, own)));
    const answers = slow.map(async (socket) => {
      const [data] = await once(socket, 'data');
      return String(data);
    });
    let dripped = 0;
    const dripping = setInterval(() => {
      dripped++;
      for (const socket of slow) socket.write(' ');
    }, 50);
    const content = 'x'.repeat(maxBodyBytes - 1000);
    const error = await errorOf(await own.post(path, { messages: [{ role: 'user', content }] }));
    expect(error).toMatchObject({ status: 400, code: 'context_length_exceeded' });
    clearInterval(dripping);
    // What they had sent is not lost: they go on.
    const rest = maxBodyBytes - '{"messages":'.length - dripped;
    for (const socket of slow) socket.write('x'.repeat(rest));
    for (const answer of await Promise.all(answers)) expect(answer).toContain('invalid_json');
    for (const socket of slow) socket.destroy();
    await own.close();
  });

  it('of unknown length are refused where they become too large', async () => {
    const own = await startTestServer({ maxBodyBytes: 2 ** 21 });
    const init = { body: new Blob(['x'.repeat(3 * 2 ** 20)]).stream(), duplex: 'half' } as RequestInit;
    expect(await errorOf(await own.post(path, undefined, init))).toMatchObject({
      ...{ status: 413, code: 'body_too_large', message: 'The request body is larger than 2097152 bytes.' },
    });
    await own.close();
  });
});

describe('clients that vanish', () => {
  it('two hundred of them, running, in prefill and waiting: the next is answered', async () => {
    const long = 'one two three four '.repeat(350);
    const clients = Array.from({ length: 200 }, (_, i) => {
      const abort = new AbortController();
      const content = i % 2 ? long : 'Hi';
      const body = { ...endless, stream: i % 3 === 0, messages: [{ role: 'user', content }] };
      const answer = server.post(path, body, { signal: abort.signal }).then(
        (response) => response.text().catch(() => 'gone'),
        () => 'gone',
      );
      return { abort, answer };
    });
    const { engine } = await server.ready;
    const inside = async (): Promise<number> => {
      const { requests } = await engine.stats();
      return requests.running + requests.waiting;
    };
    await expect.poll(inside, { interval: 5 }).toBeGreaterThan(100);
    for (const { abort } of clients) abort.abort();
    await Promise.all(clients.map(({ answer }) => answer));
    await expectWell();
    await expect.poll(inside, { interval: 5 }).toBe(0);
  });

  it('in the middle of a body', async () => {
    for (let i = 0; i < 20; i++) {
      const socket = await half(`POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{"mess`);
      socket.resetAndDestroy();
    }
    await expectWell();
  });
});
