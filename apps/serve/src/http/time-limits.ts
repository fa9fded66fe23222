// How long clients may take. A connection costs memory and, with a request on it, a place among those that are answered: what sends
// nothing, sends a byte a minute (slowloris), reads nothing or is half open must not hold them for ever. Thinking about an answer
// takes no time in this sense.
import type { IncomingMessage, Server, ServerOptions, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { ApiError } from '../api-error.ts';
import { type ErrorForms, rawAnswer } from './raw-answer.ts';

export function timeOptions(ms: number): ServerOptions {
  return {
    headersTimeout: Math.min(ms, 20_000),
    // Node's own has no exceptions: `limitSenders` stands for it.
    requestTimeout: 0,
    connectionsCheckingInterval: Math.min(ms, 5_000),
    // Longer than the minute for which proxies keep theirs: whoever closes first must be the client, or requests get lost.
    keepAliveTimeout: 75_000,
    // The system asks whether the other end is still there: cables are pulled, and laptops sleep.
    keepAlive: true,
    keepAliveInitialDelay: 30_000,
  };
}

/** Files that are sent: their time depends on their size, and what is asked of their senders is that they go on. */
const unhurried = new WeakSet<IncomingMessage>();
export const letTakeItsTime = (request: IncomingMessage): void => void unhurried.add(request);

/** Requests that are still on their way in. */
const arriving = new WeakMap<Socket, IncomingMessage>();

/** Ends connections whose request is not there as a whole `ms` after its headers. */
export function limitSenders(server: Server, ms: number, forms: ErrorForms): void {
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const { socket } = request;
    arriving.set(socket, request);
    if (request.complete) return;
    const timer = setTimeout(() => {
      if (request.complete || unhurried.has(request)) return;
      if (!response.headersSent) socket.write(rawAnswer(tooSlow(ms), forms, request));
      socket.destroySoon();
    }, ms);
    response.once('close', () => clearTimeout(timer));
  });
}

const tooSlow = (ms: number): ApiError =>
  new ApiError(408, 'request_too_slow', `The body of the request did not come within ${ms / 1000} s.`);

/** Ends connections that are silent for `ms` though there is something for the client to read or to send, or that nobody waits on. */
export function limitSilence(server: Server, ms: number, isIdle: (socket: Socket) => boolean): void {
  // Node looks whether bytes that wait to be sent have become fewer, and says `timeout` only if not.
  server.setTimeout(ms, (socket) => {
    if (socket.writableLength > 0 || isIdle(socket) || arriving.get(socket)?.complete === false) socket.destroy();
  });
}
