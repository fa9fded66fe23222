// The server's life: it listens first (probes get 503, not a refused connection), loads the model, answers, and shuts
// down by letting running requests finish for a while.
import { setMaxListeners } from 'node:events';
import { createServer, IncomingMessage, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { getRequestListener } from '@hono/node-server';
import { Admission } from './admission.ts';
import { createApp } from './app.ts';
import { Connections } from './connections.ts';
import type { ServerState } from './endpoint.ts';
import { errorFormAt } from './endpoints.ts';
import { listen, socketPathOf } from './http/addresses.ts';
import type { Certificate } from './http/certificates.ts';
import { nameByAddress } from './http/host-names.ts';
import { answerParserFaults } from './http/parser-faults.ts';
import { RequestLog, type RequestRecord } from './http/request-log.ts';
import { type ServerBindings, sendStreamed } from './http/streamed-response.ts';
import { limitSenders, limitSilence, timeOptions } from './http/time-limits.ts';
import type { ModelHost } from './models/model-host.ts';
import type { ServedModel } from './models/served-model.ts';
import { SingleModel } from './models/single-model.ts';
import { ResponseStore } from './openai/responses/response-store.ts';

export interface ServerOptions {
  /** Addresses and Unix sockets (`unix:/path`, or a path that ends in `.sock`). */
  hosts: readonly string[];
  /** 0: any free port. */
  port: number;
  /** Requests running or waiting at the same time; further ones get 503. */
  maxRequests: number;
  /** Whoever sends one of them is let in. Default: everybody is. */
  apiKeys?: readonly string[];
  certificate?: Certificate;
  /** Origins whose pages may use the server, or `*`. Default: its own chat page alone. */
  corsOrigins?: readonly string[];
  /** Names that it may be asked for under, beside addresses and names of this machine. */
  allowedHosts?: readonly string[];
  /** Default 16 MiB. */
  maxBodyBytes?: number;
  /** What a client may take to send its request, and between reading. Default 120 seconds. */
  timeoutMs?: number;
  /** Whether there is a chat page. Default: yes. */
  page?: boolean;
  /** What clients may do to the list of models. Default: nothing. */
  shelf?: ServerState['shelf'];
  onGeneration?: ServerState['onGeneration'];
  onFailure?: ServerState['onFailure'];
  /** Called when a response has ended. */
  onRequest?: (record: RequestRecord) => void;
  /** Whether `onRequest` is told what was said. */
  logContents?: boolean;
}

/** Of a server of one model. */
export interface SingleServerOptions extends ServerOptions {
  /** Called once the socket listens. */
  load: () => Promise<ServedModel>;
  /** Requests that name another model are refused. Default: they are answered, and told the right name. */
  strictModel?: boolean;
  /** Further names of the model. */
  aliases?: readonly string[];
}

export interface RunningServer {
  /** The first of `urls`. */
  readonly url: string;
  readonly urls: readonly string[];
  /** Refuses new requests, gives running ones `graceMs` to finish, tells the rest, ends the engine. */
  close(options?: { graceMs?: number }): Promise<void>;
}

export interface SingleServer extends RunningServer {
  /** The model, when it has loaded; rejects with what stopped it. */
  readonly ready: Promise<ServedModel>;
}

const defaultMaxBodyBytes = 16 * 2 ** 20;
const defaultTimeoutMs = 120_000;
/** For last words to go out. */
const farewellMs = 1000;

/** @throws QuernError `serve-cannot-listen` */
export async function startServer({
  load,
  strictModel = false,
  aliases = [],
  ...options
}: SingleServerOptions): Promise<SingleServer> {
  const models = new SingleModel(load, { strict: strictModel, aliases });
  const server = await serveModels(models, options);
  return { ...server, ready: models.start() };
}

/** @throws QuernError `serve-cannot-listen` */
export async function serveModels(models: ModelHost, options: ServerOptions): Promise<RunningServer> {
  const [closing, stopping] = [new AbortController(), new AbortController()];
  // Every request listens.
  setMaxListeners(0, closing.signal, stopping.signal);
  const log = options.onRequest && new RequestLog(options.onRequest, options.logContents ?? false);
  const state: ServerState = {
    models,
    shelf: options.shelf,
    admission: new Admission(options.maxRequests),
    closing: closing.signal,
    stopping: stopping.signal,
    responses: new ResponseStore(),
    onGeneration(record, signal) {
      log?.count(record, signal);
      options.onGeneration?.(record, signal);
    },
    onFailure: options.onFailure,
  };
  const app = createApp(state, {
    hosts: options.hosts.filter((host) => socketPathOf(host) === undefined),
    apiKeys: options.apiKeys ?? [],
    corsOrigins: options.corsOrigins ?? [],
    allowedHosts: options.allowedHosts ?? [],
    maxBodyBytes: options.maxBodyBytes ?? defaultMaxBodyBytes,
    page: options.page ?? true,
    log,
  });
  const connections = new Connections();
  const servers: Server[] = [];
  const closeServers = async (): Promise<void> => {
    const closed = servers.map((server) => new Promise((resolve) => server.close(resolve)));
    connections.destroy();
    await Promise.all(closed);
  };
  const urls: string[] = [];
  try {
    let { port } = options;
    for (const host of options.hosts) {
      const server = httpServer(app, options, connections);
      urls.push(await listen(server, host, port, options.certificate ? 'https' : 'http'));
      servers.push(server);
      // All addresses have the port that the first of them found free.
      const address = server.address();
      if (address && typeof address === 'object') port = address.port;
    }
  } catch (error) {
    await closeServers();
    throw error;
  }
  return {
    url: urls[0]!,
    urls,
    async close({ graceMs = 5000 } = {}) {
      closing.abort();
      await connections.settled(graceMs);
      stopping.abort();
      // Who waits for a model is told now, too.
      const ended = models.close();
      await connections.settled(farewellMs);
      await closeServers();
      await ended;
    },
  };
}

function httpServer(app: ReturnType<typeof createApp>, options: ServerOptions, connections: Connections): Server {
  const { certificate, timeoutMs = defaultTimeoutMs } = options;
  const answer = getRequestListener(async (request, bindings) => {
    const env = bindings as ServerBindings; // of HTTP/1, since these servers speak nothing else
    const response = await app.fetch(request, env);
    return env.streamed ? sendStreamed(env.streamed, response, env) : response;
  });
  const listener: typeof answer = (incoming, outgoing) => {
    if (incoming instanceof IncomingMessage) nameByAddress(incoming);
    return answer(incoming, outgoing);
  };
  const times = timeOptions(timeoutMs);
  const server = certificate
    ? createTlsServer({ ...times, handshakeTimeout: timeoutMs, ...certificate }, listener)
    : createServer(times, listener);
  connections.watch(server);
  answerParserFaults(server, errorFormAt);
  limitSenders(server, timeoutMs, errorFormAt);
  limitSilence(server, timeoutMs, connections.isIdle);
  return server;
}
