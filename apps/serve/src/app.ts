// The HTTP application: the endpoint table mounted on hono, with the answers that hold for every endpoint
// (authentication, body limit, wrong method, unknown route, errors).
import { timingSafeEqual } from 'node:crypto';
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { ApiError, toApiError } from './api-error.ts';
import { recordFailure, type ServerState } from './endpoint.ts';
import { endpoints } from './endpoints.ts';

function checkKey(expected: string | undefined, authorization: string | undefined): void {
  if (!expected) return;
  const given = Buffer.from(authorization?.replace(/^Bearer +/i, '') ?? '');
  const wanted = Buffer.from(expected);
  if (given.length === wanted.length && timingSafeEqual(given, wanted)) return;
  throw new ApiError(401, 'invalid_api_key', 'A valid API key is needed: send it as "Authorization: Bearer <key>".', {
    headers: { 'www-authenticate': 'Bearer' },
  });
}

export function createApp(server: ServerState): Hono {
  const app = new Hono();
  app.onError((error) => {
    const failure = toApiError(error);
    recordFailure(server, failure);
    return failure.response();
  });
  app.notFound((context) =>
    new ApiError(404, 'unknown_route', `There is no ${context.req.method} ${context.req.path} here.`).response(),
  );
  app.use(
    bodyLimit({
      maxSize: server.maxBodyBytes,
      onError: () => {
        const message = `The request body is larger than ${server.maxBodyBytes} bytes.`;
        return new ApiError(413, 'body_too_large', message).response();
      },
    }),
  );
  for (const endpoint of endpoints) {
    app.on(endpoint.method, endpoint.path, async (context) => {
      try {
        if (!endpoint.open) checkKey(server.apiKey, context.req.header('authorization'));
        return await endpoint.handle(context, server);
      } catch (error) {
        const failure = toApiError(error);
        recordFailure(server, failure);
        return failure.response(endpoint.errorBody);
      }
    });
  }
  for (const path of new Set(endpoints.map((endpoint) => endpoint.path))) {
    const allowed = endpoints.filter((endpoint) => endpoint.path === path).map((endpoint) => endpoint.method);
    app.all(path, (context) => {
      const message = `${context.req.method} is not allowed on ${context.req.path}; use ${allowed.join(' or ')}.`;
      throw new ApiError(405, 'method_not_allowed', message, { headers: { allow: allowed.join(', ') } });
    });
  }
  return app;
}
