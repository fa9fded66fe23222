// A server of another origin that does one thing wrong, by path.
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

type Fault = (response: ServerResponse, range: { start: number; end: number }, file: Buffer) => void;

const allowed = { 'access-control-allow-origin': '*', 'access-control-expose-headers': 'Content-Range, ETag' };

const send = (
  response: ServerResponse,
  { start, end }: { start: number; end: number },
  file: Buffer,
  headers: object,
) =>
  response
    .writeHead(206, { ...headers, 'content-range': `bytes ${start}-${end - 1}/${file.length}` })
    .end(file.subarray(start, end));

const faults: Readonly<Record<string, Fault>> = {
  '/right.gguf': (response, range, file) => send(response, range, file, allowed),
  '/no-ranges.gguf': (response, _, file) => response.writeHead(200, allowed).end(file),
  '/not-for-pages.gguf': (response, range, file) => send(response, range, file, {}),
  '/range-not-shown.gguf': (response, range, file) =>
    send(response, range, file, { 'access-control-allow-origin': '*' }),
  '/cut.gguf': (response, range, file) => {
    if (range.end > file.length / 2) response.destroy();
    else send(response, range, file, allowed);
  },
};

export interface FaultServer {
  readonly url: string;
  close(): void;
}

/** @param path of the file that is served, more or less */
export async function startFaultServer(path: string): Promise<FaultServer> {
  const file = readFileSync(path);
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const fault = faults[request.url ?? ''];
    if (!fault) return response.writeHead(404, allowed).end();
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
    fault(response, { start: Number(first), end: Math.min(Number(last) + 1, file.length) }, file);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
