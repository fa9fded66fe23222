// How much the bodies of requests may take: each of them, and the large ones together. They come as they are: a small packed one can be
// large.
import type { MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { ApiError } from '../api-error.ts';

/** @throws ApiError 413 */
export function bodySizeLimit(maxBytes: number): MiddlewareHandler {
  const refuse = (): never => {
    throw new ApiError(413, 'body_too_large', `The request body is larger than ${maxBytes} bytes.`);
  };
  const counting = bodyLimit({ maxSize: maxBytes, onError: refuse });
  return (context, next) => {
    const length = declaredLength(context.req.raw.headers);
    // What is sent in pieces is counted as it comes. Node itself ends what is longer than it says.
    if (length === undefined) return counting(context, next);
    return length > maxBytes ? refuse() : next();
  };
}

/** Undefined where it is sent in pieces. */
function declaredLength(headers: Headers): number | undefined {
  if (headers.has('transfer-encoding')) return undefined;
  return Number(headers.get('content-length') ?? 0);
}

/** @throws ApiError 415 naming how a body is packed, with what it may be (RFC 9110, 15.5.16) */
export const plainBodies: MiddlewareHandler = (context, next) => {
  const coding = context.req.header('content-encoding')?.trim() ?? '';
  if (coding === '' || coding.toLowerCase() === 'identity') return next();
  const message = `Content-Encoding: the request body is packed (${coding.slice(0, 64)}); send it as it is.`;
  const headers = { 'accept-encoding': 'identity' };
  throw new ApiError(415, 'unsupported_content_encoding', message, { headers });
};

const largeBytes = 2 ** 20;

/**
 * At most `count` requests with large bodies are inside at a time, so that bodies, their texts and what is made of them stay within a few
 * hundred megabytes. Further ones are not read until it is their turn; their senders wait.
 */
export function largeBodyTurns(count: number): MiddlewareHandler {
  const waiting: (() => void)[] = [];
  let inside = 0;
  const enter = (signal: AbortSignal): Promise<void> | undefined => {
    if (inside < count) {
      inside++;
      return undefined;
    }
    return new Promise((resolve, reject) => {
      const leaveQueue = (): void => {
        waiting.splice(waiting.indexOf(turn), 1);
        reject(signal.reason);
      };
      const turn = (): void => {
        signal.removeEventListener('abort', leaveQueue);
        resolve();
      };
      waiting.push(turn);
      signal.addEventListener('abort', leaveQueue);
    });
  };
  /** The place goes to whoever waits. */
  const leave = (): void => {
    const next = waiting.shift();
    if (next) next();
    else inside--;
  };
  return async (context, next) => {
    const { headers, signal } = context.req.raw;
    const length = declaredLength(headers);
    if (length !== undefined && length < largeBytes) return next();
    await enter(signal);
    try {
      await next();
    } finally {
      leave();
    }
  };
}
