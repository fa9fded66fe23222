// How long clients may take. A connection costs memory and, with a request on it, a place among those that are answered: what sends
// nothing, sends a byte a minute (slowloris), reads nothing or is half open must not hold them for ever. Thinking about an answer
// takes no time in this sense.
import type { Server, ServerOptions } from 'node:http';
import type { Socket } from 'node:net';

/** @param ms what a client may take to send its request, or to read on */
export function timeOptions(ms: number): ServerOptions {
  return {
    headersTimeout: Math.min(ms, 20_000),
    requestTimeout: ms,
    connectionsCheckingInterval: Math.min(ms, 5_000),
    // Longer than the minute for which proxies keep theirs: whoever closes first must be the client, or requests get lost.
    keepAliveTimeout: 75_000,
    // The system asks whether the other end is still there: cables are pulled, and laptops sleep.
    keepAlive: true,
    keepAliveInitialDelay: 30_000,
  };
}

/** Ends connections whose client has read nothing for `ms` though there is something for it to read, or that nobody waits on. */
export function limitReaders(server: Server, ms: number, isIdle: (socket: Socket) => boolean): void {
  // Node looks whether bytes that wait to be sent have become fewer, and says `timeout` only if not.
  server.setTimeout(ms, (socket) => {
    if (socket.writableLength > 0 || isIdle(socket)) socket.destroy();
  });
}
