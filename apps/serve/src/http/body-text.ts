// The text of a request's body. It is decoded as it comes: in one go, tens of megabytes would hold others up.
import type { IncomingMessage } from 'node:http';
import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';
import { ApiError } from '../api-error.ts';
import type { BodyPlace } from './body-room.ts';
import { keepForLog } from './request-log.ts';

declare module 'hono' {
  interface ContextVariableMap {
    /** Of a large body. */
    receivedBody?: string;
  }
}

/** @throws ApiError 400 `body_incomplete` when the client ends or leaves before, `invalid_json` when it is no UTF-8 */
export async function bodyText(context: Context): Promise<string> {
  const { incoming } = context.env as HttpBindings;
  const text = context.get('receivedBody') ?? (await receiveText(incoming));
  keepForLog(context, text);
  return text;
}

/**
 * @param maxBytes of what does not say how much comes
 * @throws ApiError as `bodyText` does, 413 `body_too_large`, 408 `body_too_slow`
 */
export function receiveText(
  incoming: IncomingMessage,
  maxBytes = Number.POSITIVE_INFINITY,
  place?: BodyPlace,
): Promise<string> {
  // Bytes that are no UTF-8 are refused: replaced ones would ask for something else.
  const utf8 = new TextDecoder('utf-8', { fatal: true });
  return new Promise((resolve, reject) => {
    let text = '';
    let bytes = 0;
    const stop = (): void => {
      incoming.off('data', read).off('end', end).off('close', leave).off('error', leave);
      place?.taken.removeEventListener('abort', taken);
      if (place) place.sender = undefined;
    };
    const fail = (error: unknown): void => {
      stop();
      incoming.pause();
      reject(error);
    };
    const decode = (chunk?: Buffer): void => {
      try {
        text += chunk ? utf8.decode(chunk, { stream: true }) : utf8.decode();
      } catch {
        fail(new ApiError(400, 'invalid_json', 'The request body is not UTF-8, as JSON must be.'));
      }
    };
    const read = (chunk: Buffer): void => {
      bytes += chunk.length;
      if (place) place.bytes = bytes;
      if (bytes > maxBytes) fail(bodyTooLarge(maxBytes));
      else decode(chunk);
    };
    const end = (): void => {
      stop();
      decode();
      resolve(text);
    };
    const leave = (): void =>
      fail(new ApiError(400, 'body_incomplete', 'The connection ended before the whole request had come.'));
    const taken = (): void => fail(place?.taken.reason);
    incoming.on('data', read).on('end', end).on('close', leave).on('error', leave);
    place?.taken.addEventListener('abort', taken);
    if (place) place.sender = incoming;
    if (incoming.destroyed) leave();
  });
}

export const bodyTooLarge = (maxBytes: number): ApiError =>
  new ApiError(413, 'body_too_large', `The request body is larger than ${maxBytes} bytes.`);
