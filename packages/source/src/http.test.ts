import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { httpSource } from './index.ts';

const bytes = Uint8Array.from({ length: 100_000 }, (_, i) => (i * 31 + (i >> 8)) & 0xff);
const quick = { retryMs: 1, attempts: 3 };
let server: Server | undefined;
afterEach(() => new Promise<void>((done) => (server ? server.close(() => done()) : done())));

async function serve(handle: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  server = createServer(handle);
  await new Promise<void>((done) => server!.listen(0, '127.0.0.1', done));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/model.gguf`;
}

function range(request: IncomingMessage): [begin: number, end: number] {
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '')!;
  return [Number(first), Math.min(Number(last) + 1, bytes.length)];
}

/** Answers a range as a good server does; `cutAfter` destroys the connection after so many bytes. */
function answer(request: IncomingMessage, response: ServerResponse, cutAfter = Infinity, etag = '"v1"'): void {
  const [begin, end] = range(request);
  response.writeHead(206, {
    'content-range': `bytes ${begin}-${end - 1}/${bytes.length}`,
    'content-length': end - begin,
    etag,
  });
  if (end - begin <= cutAfter) response.end(bytes.subarray(begin, end));
  else response.write(bytes.subarray(begin, begin + cutAfter), () => response.destroy());
}

test('reads ranges, with the headers it was given', async () => {
  const seen: (string | undefined)[] = [];
  const url = await serve((request, response) => {
    seen.push(request.headers.authorization);
    answer(request, response);
  });
  const source = await httpSource(url, { headers: { authorization: 'Bearer t' } });
  expect(source.size).toBe(bytes.length);
  expect(await source.read(50_000, 1234)).toEqual(bytes.slice(50_000, 51_234));
  expect(await source.read(10, 0)).toHaveLength(0);
  expect(seen).toEqual(['Bearer t', 'Bearer t']);
  await expect(source.read(99_999, 2)).rejects.toMatchObject({ code: 'source-out-of-range' });
});

test('goes on where the connection broke', async () => {
  const starts: number[] = [];
  const url = await serve((request, response) => {
    starts.push(range(request)[0]);
    answer(request, response, 30_000);
  });
  const source = await httpSource(url, { ...quick, attempts: 10 });
  expect(await source.read(0, bytes.length)).toEqual(bytes);
  // The first request asks for the size. A cut may also lose bytes on their way.
  expect(starts.slice(0, 2)).toEqual([0, 0]);
  expect(starts.length).toBeGreaterThanOrEqual(5);
  for (let i = 2; i < starts.length; i++) {
    expect(starts[i]! - starts[i - 1]!).toBeGreaterThanOrEqual(0);
    expect(starts[i]! - starts[i - 1]!).toBeLessThanOrEqual(30_000);
  }
});

test('tries again after 429 and 5xx, and after a stall', async () => {
  let count = 0;
  const url = await serve((request, response) => {
    count++;
    if (count === 2) response.writeHead(503).end();
    else if (count === 3) response.writeHead(429, { 'retry-after': '0' }).end();
    else if (count === 4) response.writeHead(206, { 'content-range': `bytes 0-9/${bytes.length}` }).flushHeaders();
    else answer(request, response);
  });
  const source = await httpSource(url, { retryMs: 1, attempts: 8, stallMs: 500 });
  expect(await source.read(0, 10)).toEqual(bytes.slice(0, 10));
  // More when a busy machine stalls us too.
  expect(count).toBeGreaterThanOrEqual(5);
});

test('an empty file has size 0', async () => {
  const url = await serve((_, response) => response.writeHead(416, { 'content-range': 'bytes */0' }).end());
  expect((await httpSource(url, quick)).size).toBe(0);
});

const refusals: [code: string, handle: (request: IncomingMessage, response: ServerResponse) => void][] = [
  ['http-unauthorized', (_, response) => response.writeHead(403).end()],
  ['http-not-found', (_, response) => response.writeHead(404).end()],
  ['http-status', (_, response) => response.writeHead(418).end()],
  ['http-no-range', (_, response) => response.writeHead(200).end(bytes)],
  ['http-failed', (_, response) => response.writeHead(500).end()],
  ['http-failed', (_, response) => response.destroy()],
  ['http-bad-range', (_, response) => response.writeHead(206, { 'content-range': 'bytes 5-5/10' }).end('x')],
  ['http-bad-range', (_, response) => response.writeHead(206).end('x')],
];
test.each(refusals)('a server that misbehaves: %s', async (code, handle) => {
  const url = await serve(handle);
  await expect(httpSource(url, quick)).rejects.toMatchObject({ code, file: url });
});

test('a file that changes on the server is noticed by its ETag or size', async () => {
  let etag = '"v1"';
  const url = await serve((request, response) => answer(request, response, Infinity, etag));
  const source = await httpSource(url, quick);
  etag = '"v2"';
  await expect(source.read(0, 10)).rejects.toMatchObject({ code: 'source-changed' });
});

test('an aborted read ends with the reason of the abort', async () => {
  const abort = new AbortController();
  const url = await serve((request, response) => {
    if (range(request)[1] === 1) answer(request, response);
    else abort.abort(new Error('enough'));
  });
  const source = await httpSource(url, { ...quick, signal: abort.signal });
  await expect(source.read(0, 10)).rejects.toThrow('enough');
  server!.closeAllConnections();
});
