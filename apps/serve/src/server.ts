// The server's life: it listens first (probes get 503, not a refused connection), loads the model, answers, and shuts
// down by letting running requests finish for a while.
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import { QuernError } from '@quern/errors';
import { Admission } from './admission.ts';
import { createApp } from './app.ts';
import { Connections } from './connections.ts';
import type { ServerState } from './endpoint.ts';
import type { ServedModel } from './models/served-model.ts';
import { SingleModel } from './models/single-model.ts';

export interface ServerOptions {
  host: string;
  /** 0: any free port. */
  port: number;
  /** Requests running or waiting at the same time; further ones get 503. */
  maxRequests: number;
  apiKey?: string;
  /** Default 16 MiB. */
  maxBodyBytes?: number;
  /** Called once the socket listens. */
  load: () => Promise<ServedModel>;
  onGeneration?: ServerState['onGeneration'];
  onFailure?: ServerState['onFailure'];
}

export interface RunningServer {
  readonly url: string;
  /** The model, when it has loaded; rejects with what stopped it. */
  readonly ready: Promise<ServedModel>;
  /** Stops listening, gives running requests `graceMs` to finish, cancels the rest, ends the engine. */
  close(options?: { graceMs?: number }): Promise<void>;
}

const defaultMaxBodyBytes = 16 * 2 ** 20;

/** @throws QuernError `serve-cannot-listen` */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const models = new SingleModel(options.load);
  const state: ServerState = {
    models,
    admission: new Admission(options.maxRequests),
    apiKey: options.apiKey,
    maxBodyBytes: options.maxBodyBytes ?? defaultMaxBodyBytes,
    onGeneration: options.onGeneration,
    onFailure: options.onFailure,
  };
  const server = createAdaptorServer({ fetch: createApp(state).fetch }) as Server;
  const connections = new Connections(server);
  const url = await listen(server, options);
  const ready = models.start();
  return {
    url,
    ready,
    async close({ graceMs = 5000 } = {}) {
      const closed = new Promise((resolve) => server.close(resolve));
      connections.closeIdle();
      const deadline = setTimeout(() => server.closeAllConnections(), graceMs);
      await closed;
      clearTimeout(deadline);
      await models.close();
    },
  };
}

function listen(server: Server, { host, port }: ServerOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const remedy = cause.code === 'EADDRINUSE' ? 'Choose another --port, or 0 for any free one.' : undefined;
      reject(
        new QuernError('serve-cannot-listen', `Cannot listen on ${host}:${port}: ${cause.message}.`, { cause, remedy }),
      );
    });
    server.listen(port, host, () => {
      const { address, port: actual, family } = server.address() as AddressInfo;
      resolve(`http://${family === 'IPv6' ? `[${address}]` : address}:${actual}`);
    });
  });
}
