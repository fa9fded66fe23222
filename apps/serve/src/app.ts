// The HTTP application: the endpoint table mounted on hono, with the answers that hold for every endpoint
// (who may ask, limits, wrong method, unknown route, errors).
import { type Context, Hono, type MiddlewareHandler } from 'hono';
import { ApiError, toApiError } from './api-error.ts';
import { type Endpoint, recordFailure, type ServerState } from './endpoint.ts';
import { endpoints } from './endpoints.ts';
import { keyCheck } from './http/api-keys.ts';
import { bodyLimits, plainBodies } from './http/body-limits.ts';
import { headerList } from './http/header-list.ts';
import { hostCheck } from './http/host-names.ts';
import { originRules } from './http/origins.ts';
import type { RequestLog } from './http/request-log.ts';
import { notWhileClosing, untilStopped } from './http/shutdown.ts';
import { type ServerBindings, StreamedResponse } from './http/streamed-response.ts';
import { page } from './page.ts';

export interface AppOptions {
  /** Where the server listens. */
  readonly hosts: readonly string[];
  readonly apiKeys: readonly string[];
  readonly corsOrigins: readonly string[];
  readonly allowedHosts: readonly string[];
  readonly maxBodyBytes: number;
  readonly page: boolean;
  readonly log?: RequestLog;
}

type Env = { Bindings: ServerBindings; Variables: { endpoint: Endpoint; requestId?: string } };

export function createApp(server: ServerState, options: AppOptions): Hono<Env> {
  // `/v1/models/` is `/v1/models`.
  const app = new Hono<Env>({ strict: false });
  app.onError((error, context) => failed(error, context, server));
  app.notFound((context) =>
    new ApiError(404, 'unknown_route', `There is no ${context.req.method} ${context.req.path} here.`).response(),
  );
  const { log } = options;
  if (log) app.use(log.start);
  const checkHost = hostCheck(options.hosts, options.allowedHosts);
  if (checkHost)
    app.use((context, next) => {
      checkHost(context.req.header('host'));
      return next();
    });
  app.use(...originRules(options.corsOrigins));
  const checkKey = keyCheck(options.apiKeys);
  const unlimited: MiddlewareHandler[] = log ? [log.bind] : [];
  const limits: MiddlewareHandler[] = [plainBodies, bodyLimits(options.maxBodyBytes), ...unlimited];
  const known = new Map<string, Set<string>>();
  for (const endpoint of options.page ? endpoints : endpoints.filter((row) => row !== page)) {
    const enter: MiddlewareHandler<Env> = (context, next) => {
      context.set('endpoint', endpoint);
      context.set('requestId', endpoint.requestId?.make());
      notWhileClosing(server.closing);
      if (!endpoint.open) checkKey(context.req.raw.headers);
      return next();
    };
    for (const path of [endpoint.path, ...(endpoint.aliases ?? [])]) {
      known.set(path, (known.get(path) ?? new Set()).add(endpoint.method));
      const answer: MiddlewareHandler<Env> = async (context) => {
        const response = await untilStopped(endpoint.handle(context, server), server.stopping);
        const ignored = context.get('ignoredFields');
        if (ignored) response.headers.set('x-quern-ignored', headerList(ignored));
        const id = context.get('requestId');
        if (id !== undefined) response.headers.set(endpoint.requestId!.header, id);
        if (response instanceof StreamedResponse) context.env.streamed = response;
        return response;
      };
      app.on(
        endpoint.method,
        [path],
        ...[enter, ...(endpoint.streamsBody ? unlimited : limits), answer].map((step) => whereAsked(endpoint, step)),
      );
    }
  }
  for (const [path, methods] of known) {
    const allow = [...methods].join(', ');
    app.all(path, (context) => {
      const { method, path: asked } = context.req;
      if (method === 'OPTIONS') return context.body(null, 204, { allow: `${allow}, OPTIONS` });
      const message = `${method} is not allowed on ${asked}; use ${[...methods].join(' or ')}.`;
      throw new ApiError(405, 'method_not_allowed', message, { headers: { allow } });
    });
  }
  return app;
}

/** Leaves a request that is not for this endpoint to the next one of its path. */
function whereAsked({ answers }: Endpoint, step: MiddlewareHandler<Env>): MiddlewareHandler<Env> {
  if (!answers) return step;
  return (context, next) => (answers(context.req.raw.headers) ? step(context, next) : next());
}

/** In the words of the endpoint's API. A client that has left reads nothing, and its leaving is nobody's fault. */
function failed(error: unknown, context: Context<Env>, server: ServerState): Response {
  const failure = toApiError(error);
  if (!context.req.raw.signal.aborted) recordFailure(server, failure);
  const { errorBody, requestId } = context.get('endpoint') ?? {};
  const id = context.get('requestId');
  return (requestId && id ? failure.withHeader(requestId.header, id) : failure).response(errorBody);
}
