// Who may use a server, and over which ways: keys, names, web sites, TLS, several addresses, Unix sockets.
import { existsSync, linkSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, type RequestOptions, request as send } from 'node:http';
import { request as sendTls } from 'node:https';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from './serve-fixture.ts';

const path = '/v1/chat/completions';
const body = JSON.stringify({ messages: [{ role: 'user', content: 'Hi' }], max_tokens: 1 });

interface Answer {
  status: number;
  headers: IncomingMessage['headers'];
  text: string;
}

/** As any client might send it: `fetch` would set Host and Origin by itself. */
function ask(options: RequestOptions & { ca?: Buffer }, content?: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = (options.ca ? sendTls : send)(
      { agent: false, hostname: '127.0.0.1', ...options },
      async (response) => {
        let text = '';
        for await (const piece of response) text += piece;
        resolve({ status: response.statusCode!, headers: response.headers, text });
      },
    );
    request.once('error', reject);
    request.end(content);
  });
}
const portOf = (url: string): number => Number(new URL(url).port);
const codeOf = ({ text }: Answer): string => JSON.parse(text).error.code;

describe('keys', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({ apiKeys: ['first-key', 'second'] });
    await server.ready;
  });
  afterAll(() => server.close());

  it.each([
    [{ authorization: 'Bearer first-key' }, 200],
    [{ authorization: 'bearer second' }, 200],
    [{ 'x-api-key': 'second' }, 200],
    [{ authorization: 'Bearer dummy', 'x-api-key': 'first-key' }, 200],
    [{ authorization: 'Bearer first-key ' }, 200],
    [{ authorization: 'Bearer first-ke' }, 401],
    [{ authorization: 'Bearer first-key,second' }, 401],
    [{ 'x-api-key': '' }, 401],
    [{}, 401],
  ])('%j: %i', async (headers, status) => {
    expect((await fetch(`${server.url}/v1/models`, { headers: headers as HeadersInit })).status).toBe(status);
  });

  it('a refusal of Anthropic’s API has the id of its request', async () => {
    const response = await server.post('/v1/messages', {});
    expect(response.status).toBe(401);
    const id = response.headers.get('request-id');
    expect(id).toMatch(/^req_/);
    expect((await response.json()).request_id).toBe(id);
  });

  it('are asked for before a body is read', async () => {
    const large = 'x'.repeat(2 ** 20);
    expect((await server.post(path, large)).status).toBe(401);
  });
});

describe('web sites', () => {
  let closed: TestServer;
  let open: TestServer;
  beforeAll(async () => {
    closed = await startTestServer();
    open = await startTestServer({ corsOrigins: ['https://chat.example', 'localhost'], apiKeys: ['key'] });
    await Promise.all([closed.ready, open.ready]);
  });
  afterAll(() => Promise.all([closed.close(), open.close()]));
  const post = (server: TestServer, headers: Record<string, string>) =>
    ask({ port: portOf(server.url), method: 'POST', path, headers }, body);

  it.each(['https://evil.example', 'http://localhost:1', 'null', 'file://'])(
    'a page of %s computes nothing, whatever it calls its body',
    async (origin) => {
      const before = closed.records.length;
      for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/json']) {
        const answer = await post(closed, { origin, 'content-type': type });
        expect(answer.status).toBe(403);
        expect(codeOf(answer)).toBe('origin_not_allowed');
        expect(answer.headers['access-control-allow-origin']).toBeUndefined();
      }
      expect(closed.records.length).toBe(before);
    },
  );

  it('localhost among the origins: pages of this machine on any port, and no others', async () => {
    const asked = async (origin: string) => (await post(open, { origin, authorization: 'Bearer key' })).status;
    for (const host of ['localhost', '127.0.0.1:3000', '[::1]:8080']) expect(await asked(`http://${host}`)).toBe(200);
    for (const host of ['notlocalhost', 'localhost.evil.example', 'localhost:x', '127.0.0.1.evil.example'])
      expect(await asked(`http://${host}`)).toBe(403);
  });

  it('the own page, and programs without an origin, do', async () => {
    expect((await post(closed, { origin: closed.url })).status).toBe(200);
    // As `curl -d` sends it.
    expect((await post(closed, { 'content-type': 'application/x-www-form-urlencoded' })).status).toBe(200);
  });

  it('a site that is named is told so, in answers and errors', async () => {
    const origin = 'https://chat.example';
    const answer = await post(open, { origin, authorization: 'Bearer key' });
    expect(answer.status).toBe(200);
    expect(answer.headers).toMatchObject({ 'access-control-allow-origin': origin, vary: 'Origin' });
    const refused = await post(open, { origin });
    expect(refused).toMatchObject({ status: 401, headers: { 'access-control-allow-origin': origin } });
    expect((await post(open, { origin: 'https://chat.example.evil', authorization: 'Bearer key' })).status).toBe(403);
  });

  it.each([path, '/v1/messages', '/v1/models', '/health'])('a preflight for %s needs no key', async (route) => {
    const names = 'authorization,x-api-key,anthropic-version,anthropic-beta,content-type,x-stainless-os';
    const headers = {
      origin: 'https://chat.example',
      'access-control-request-method': 'POST',
      'access-control-request-headers': names,
      'access-control-request-private-network': 'true',
    };
    const answer = await ask({ port: portOf(open.url), method: 'OPTIONS', path: route, headers });
    expect(answer.status).toBe(204);
    expect(answer.headers).toMatchObject({
      'access-control-allow-origin': 'https://chat.example',
      'access-control-allow-headers': names,
      'access-control-allow-private-network': 'true',
    });
    expect(answer.headers['access-control-allow-methods']).toContain('POST');
    const other = await ask({
      ...{ port: portOf(open.url), method: 'OPTIONS', path: route },
      headers: { ...headers, origin: 'https://evil.example' },
    });
    expect(other.status).toBe(403);
  });

  it.each(['HTTP/1.0', 'HTTP/1.1'])('a balancer’s look at health without a name, in %s', async (version) => {
    const socket = connect(portOf(open.url), '127.0.0.1');
    socket.write(`GET /health ${version}\r\n\r\n`);
    let text = '';
    for await (const piece of socket) text += piece;
    // HTTP/1.1 asks for one.
    expect(text).toContain(version === 'HTTP/1.0' ? 'HTTP/1.1 200 OK' : 'HTTP/1.1 400 ');
  });

  it('OPTIONS without CORS says what there is', async () => {
    const answer = await ask({ port: portOf(closed.url), method: 'OPTIONS', path });
    expect(answer).toMatchObject({ status: 204, headers: { allow: 'POST, OPTIONS' } });
  });
});

describe('names', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({ allowedHosts: ['models.lan'] });
    await server.ready;
  });
  afterAll(() => server.close());
  it.each([
    ['localhost', 200],
    ['LOCALHOST:8080', 200],
    ['127.0.0.1:8080', 200],
    ['[::1]:8080', 200],
    ['192.168.1.2', 200],
    ['models.lan:80', 200],
    ['host.docker.internal', 200],
    ['evil.example', 403],
    ['localhost.evil.example', 403],
    ['127.0.0.1.evil.example:8080', 403],
    ['models.lan.evil.example', 403],
  ])('Host: %s gets %i', async (host, status) => {
    expect((await ask({ port: portOf(server.url), path: '/health', headers: { host } })).status).toBe(status);
  });
});

describe('ways', () => {
  const folder = mkdtempSync(join(tmpdir(), 'quern-ways-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const socketPath = join(folder, 'quern.sock');
  const tls = new URL('./tls/', import.meta.url);
  const [cert, key] = ['cert.pem', 'key.pem'].map((name) => readFileSync(new URL(name, tls)));

  it('TLS, on two addresses with one port', async () => {
    const server = await startTestServer({
      hosts: ['127.0.0.1', '127.0.0.2'],
      certificate: { cert: cert!, key: key! },
    });
    await server.ready;
    const [first, second] = server.urls.map((url) => new URL(url));
    expect(first!.protocol).toBe('https:');
    expect(second!.port).toBe(first!.port);
    for (const { hostname, port } of [first!, second!]) {
      const options = { hostname, port, path: '/health', ca: cert!, servername: 'localhost' };
      expect((await ask(options)).status).toBe(200);
    }
    await server.close();
    await expect(ask({ hostname: '127.0.0.2', port: second!.port, ca: cert! })).rejects.toThrow();
  });

  it('a Unix socket for its owner alone, gone when the server is', async () => {
    const server = await startTestServer({ hosts: [`unix:${socketPath}`] });
    await server.ready;
    expect(server.url).toBe(`unix:${socketPath}`);
    expect(statSync(socketPath).mode & 0o777).toBe(0o600);
    expect((await ask({ socketPath, path: '/health', headers: { host: 'whatever' } })).status).toBe(200);
    const second = startTestServer({ hosts: [socketPath] });
    await expect(second).rejects.toThrow(/another server listens there/);
    await server.close();
    expect(existsSync(socketPath)).toBe(false);
  });

  it('what a killed server left is replaced, somebody’s file is not', async () => {
    // Node removes the name that it listened on; under a second name the socket stays, with nobody behind it.
    const killed = createServer();
    await new Promise<void>((resolve) => killed.listen(join(folder, 'first.sock'), resolve));
    linkSync(join(folder, 'first.sock'), socketPath);
    await new Promise((resolve) => killed.close(resolve));
    expect(existsSync(socketPath)).toBe(true);
    const server = await startTestServer({ hosts: [socketPath] });
    await server.close();
    writeFileSync(socketPath, 'mine');
    await expect(startTestServer({ hosts: [socketPath] })).rejects.toThrow(/file that is no socket/);
    expect(readFileSync(socketPath, 'utf8')).toBe('mine');
  });
});
