// The connections of a server: which of them wait for a response, so that a shutdown can wait for these and end the others. Node's own
// `closeIdleConnections` passes over connections that have not sent a request yet, and browsers open such in advance.
import { EventEmitter, once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

export class Connections {
  readonly #sockets = new Set<Socket>();
  /** How many responses each is owed. */
  readonly #owed = new Map<Socket, number>();
  readonly #changes = new EventEmitter();

  watch(server: Server): void {
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
      this.#owed.set(socket, (this.#owed.get(socket) ?? 0) + 1);
      response.once('close', () => {
        const left = this.#owed.get(socket)! - 1;
        if (left > 0) this.#owed.set(socket, left);
        else this.#owed.delete(socket);
        if (this.#owed.size === 0) this.#changes.emit('settled');
      });
    });
  }

  readonly isIdle = (socket: Socket): boolean => !this.#owed.has(socket);

  /** Waits until no response is owed, but no longer than `ms`. */
  async settled(ms: number): Promise<void> {
    if (this.#owed.size === 0) return;
    await once(this.#changes, 'settled', { signal: AbortSignal.timeout(ms) }).catch(() => {});
  }

  /** Ends all of them. */
  destroy(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}
