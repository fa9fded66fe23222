// A small server for the page, for development and tests. Any static host can do the same: the headers of isolation are
// what lets the page use threads, ranges are what lets it read a model by URL.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { QuernError } from '@quern/errors';
import { listModels } from './list-models.ts';
import { sendFile } from './send-file.ts';

export interface SiteOptions {
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 0: a free one. */
  readonly port?: number;
  /** Send the headers that make the page cross-origin isolated. Default true. */
  readonly isolated?: boolean;
  /** Folder of model files, served under /models/; /models.json is their list. */
  readonly models?: string;
}

export interface RunningSite {
  readonly url: string;
  close(): Promise<void>;
}

const fromSource = import.meta.url.endsWith('.ts');
const siteFolder = fileURLToPath(new URL(fromSource ? '../../dist/site' : '../site', import.meta.url));

/** @throws QuernError `web-cannot-listen` */
export async function serveSite(options: SiteOptions = {}): Promise<RunningSite> {
  const { host = '127.0.0.1', port = 0 } = options;
  const server = createServer((request, response) => {
    answer(request, response, options).catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      const message = `Cannot listen on ${host}:${port}: ${cause.message}.`;
      reject(new QuernError('web-cannot-listen', message, { remedy: 'Choose another port.', cause }));
    });
    server.listen(port, host, resolve);
  });
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const isolation = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
};

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { isolated = true, models }: SiteOptions,
): Promise<void> {
  if (isolated) for (const [name, value] of Object.entries(isolation)) response.setHeader(name, value);
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.writeHead(405, { allow: 'GET, HEAD' }).end();
    return;
  }
  const { pathname } = new URL(request.url ?? '/', 'http://localhost');
  if (pathname === '/models.json' && models !== undefined) {
    response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-cache' });
    response.end(JSON.stringify(await listModels(models)));
    return;
  }
  if (pathname.startsWith('/models/') && models !== undefined)
    return sendFile(request, response, models, pathname.slice('/models/'.length));
  return sendFile(request, response, siteFolder, pathname === '/' ? 'index.html' : pathname.slice(1));
}
