// A real server on the loopback that speaks the endpoints of the hub that matter (revision info, tree, resolve with
// ranges) for repositories that are given as names and contents; other addresses give the files under /files/.
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface LoopbackHub {
  readonly endpoint: string;
  /** `path` or `path bytes=…` of every request so far. */
  readonly asked: string[];
  close(): Promise<void>;
}

export interface LoopbackHubOptions {
  /** `owner/name` to its files. */
  repositories?: Readonly<Record<string, Readonly<Record<string, Uint8Array | string>>>>;
  /** Served under /files/, as any web server would. */
  files?: Readonly<Record<string, Uint8Array | string>>;
  tags?: readonly string[];
  /** Sizes that listings claim for files, whatever they hold. */
  claimed?: Readonly<Record<string, number>>;
  /** Only this commit of a branch other than main. */
  revision?: string;
}

export const commit = 'c0ffee'.padEnd(40, '0');

export async function startLoopbackHub(options: LoopbackHubOptions): Promise<LoopbackHub> {
  const { repositories = {}, files = {}, tags = [], claimed = {}, revision = 'main' } = options;
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://x').pathname);
    asked.push(request.headers.range === undefined ? path : `${path} ${request.headers.range}`);
    const json = (value: unknown): void => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
    };
    for (const [repo, contents] of Object.entries(repositories)) {
      const after = (prefix: string) => (path.startsWith(prefix) ? path.slice(prefix.length) : undefined);
      if (path === `/api/models/${repo}/revision/${revision}`) return json({ _id: '1', id: repo, sha: commit, tags });
      if (path === `/api/models/${repo}/tree/${commit}`)
        return json(Object.entries(contents).map((entry) => treeEntry(entry, claimed)));
      const name = after(`/${repo}/resolve/${commit}/`);
      if (name !== undefined) return send(contents[name], request, response);
    }
    send(path.startsWith('/files/') ? files[path.slice('/files/'.length)] : undefined, request, response);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((done) => server.close(() => done()));
    },
  };
}

function treeEntry([path, contents]: [string, Uint8Array | string], claimed: Readonly<Record<string, number>>) {
  const body = Buffer.from(contents);
  const size = claimed[path] ?? body.length;
  const sha256 = createHash('sha256').update(body).digest('hex');
  return {
    type: 'file',
    path,
    size,
    oid: createHash('sha1').update(`blob ${body.length}\0`).update(body).digest('hex'),
    ...(/\.(gguf|safetensors|bin)$/.test(path) && { lfs: { oid: sha256, size, pointerSize: 130 } }),
  };
}

function send(contents: Uint8Array | string | undefined, request: IncomingMessage, response: ServerResponse): void {
  if (contents === undefined) {
    response.writeHead(404).end();
    return;
  }
  const body = Buffer.from(contents);
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
  const begin = Number(first ?? 0);
  const end = Math.min(body.length, last ? Number(last) + 1 : body.length);
  response.writeHead(first === undefined ? 200 : 206, {
    etag: '"x"',
    'content-length': end - begin,
    ...(first !== undefined && { 'content-range': `bytes ${begin}-${end - 1}/${body.length}` }),
  });
  response.end(request.method === 'HEAD' ? undefined : body.subarray(begin, end));
}
