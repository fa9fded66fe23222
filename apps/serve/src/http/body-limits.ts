// How much the bodies of requests may take: each of them, and the large ones together. They come as they are: a small packed one can be
// large.
import type { HttpBindings } from '@hono/node-server';
import type { MiddlewareHandler } from 'hono';
import { ApiError } from '../api-error.ts';
import { BodyRoom } from './body-room.ts';
import { bodyTooLarge, receiveText } from './body-text.ts';

const largeBytes = 2 ** 20;
/** Together, in bodies of the largest size: they, their texts and what is made of them stay within a few hundred megabytes. */
const largestTogether = 4;

/**
 * Refuses bodies that are too large. Large ones are received before anything else is done, in their turn.
 * @throws ApiError 413 `body_too_large`, 408 `body_too_slow`
 */
export function bodyLimits(maxBytes: number): MiddlewareHandler {
  const smallest = Math.floor(maxBytes / largestTogether);
  // Those that are small beside the largest do not stand in line behind them.
  const rooms = { small: new BodyRoom(largestTogether * smallest), large: new BodyRoom(largestTogether * maxBytes) };
  return async (context, next) => {
    const { headers, signal } = context.req.raw;
    const length = declaredLength(headers);
    if (length !== undefined && length > maxBytes) throw bodyTooLarge(maxBytes);
    // Node itself ends what is longer than it says.
    if (length !== undefined && length < largeBytes) return next();
    const room = length ?? maxBytes;
    const place = await (room <= smallest ? rooms.small : rooms.large).enter(room, signal);
    try {
      context.set('receivedBody', await receiveText((context.env as HttpBindings).incoming, maxBytes, place));
      place.complete();
      await next();
    } finally {
      place.leave();
    }
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
