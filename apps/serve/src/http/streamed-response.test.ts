// What a streamed response is on the wire, read from the socket: nothing but Node's server stands between.
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ResponseWriter, type ServerBindings, StreamedResponse, sendStreamed } from './streamed-response.ts';

let server: Server;
let writeTo: (writer: ResponseWriter) => Promise<void>;
/** What was sent so far, when the response is over. */
let sent: Promise<unknown>;
beforeAll(async () => {
  server = createServer((incoming, outgoing: ServerResponse) => {
    const streamed = new StreamedResponse('text/plain', (writer) => writeTo(writer));
    streamed.headers.set('x-more', 'yes'); // as middlewares add theirs
    sent = sendStreamed(streamed, streamed, { incoming, outgoing } satisfies ServerBindings);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

async function ask(version: string, headers = ''): Promise<Socket> {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write(`GET / HTTP/${version}\r\nHost: localhost\r\n${headers}\r\n`);
  return socket;
}

async function answer(version: string, headers?: string): Promise<{ head: string; body: Buffer }> {
  const pieces: Buffer[] = [];
  for await (const piece of await ask(version, headers)) pieces.push(piece);
  const all = Buffer.concat(pieces);
  const end = all.indexOf('\r\n\r\n');
  return { head: all.toString('latin1', 0, end), body: all.subarray(end + 4) };
}

const texts = ['Grüße ', '🦙', '\r\n', 'x'.repeat(300)];
const writeTexts = async (writer: ResponseWriter): Promise<void> => {
  for (const text of texts) writer.write(text);
  writer.end();
};

describe('a streamed response', () => {
  it('comes in chunks, each with its length in bytes, and an empty one at the end (RFC 9112, 7.1)', async () => {
    writeTo = writeTexts;
    const { head, body } = await answer('1.1', 'Connection: close\r\n');
    expect(head).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(head).toMatch(/\r\ncontent-type: text\/plain\r\n.*x-more: yes\r\n/s);
    expect(head).toMatch(/transfer-encoding: chunked/i);
    expect(body.toString()).toBe(`8\r\nGrüße \r\n4\r\n🦙\r\n2\r\n\r\n\r\n12c\r\n${'x'.repeat(300)}\r\n0\r\n\r\n`);
  });

  it('comes as it is to a client of HTTP/1.0, and ends with its connection', async () => {
    writeTo = writeTexts;
    const { head, body } = await answer('1.0');
    expect(head).not.toMatch(/transfer-encoding|content-length/i);
    expect(body.toString()).toBe(texts.join(''));
  });

  it('leaves its connection to the next request', async () => {
    writeTo = writeTexts;
    const socket = await ask('1.1');
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    let answers = '';
    for await (const piece of socket.setEncoding('utf8')) answers += piece;
    const [, first, second] = answers.split('HTTP/1.1 200 OK\r\n').map((text) => text.split('\r\n\r\n8\r\n')[1]);
    expect(first).toMatch(/^Grüße .*\r\n0\r\n\r\n$/s);
    expect(second).toBe(first);
  });

  it('waits for a client that reads nothing, until it reads or leaves', async () => {
    let written = 0;
    let closed = false;
    writeTo = async (writer) => {
      writer.onceClosed(() => (closed = true));
      while (writer.write('x'.repeat(65_536))) written++;
      expect(writer.hasRoom).toBe(false);
      await writer.room();
      // What the system keeps is full now.
      while (!closed) if (!writer.write('x'.repeat(65_536))) await writer.room();
      expect(writer.write('for nobody')).toBe(false);
      await writer.room();
    };
    const socket = await ask('1.1');
    await once(socket, 'data');
    socket.destroy();
    await sent;
    expect(closed).toBe(true);
    expect(written).toBeLessThan(1000);
  });
});
