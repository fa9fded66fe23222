// Which connections of a server wait for nothing, so that a shutdown can end them at once. Node's own
// `closeIdleConnections` passes over connections that have not sent a request yet, and browsers open such in advance.
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

export class Connections {
  readonly #idle = new Set<Socket>();
  #closing = false;

  constructor(server: Server) {
    server.on('connection', (socket: Socket) => {
      this.#idle.add(socket);
      socket.once('close', () => this.#idle.delete(socket));
    });
    server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
      this.#idle.delete(socket);
      response.once('close', () => {
        if (this.#closing) socket.end();
        else if (!socket.destroyed) this.#idle.add(socket);
      });
    });
  }

  /** Ends every idle connection now, and each other one when its response is complete. */
  closeIdle(): void {
    this.#closing = true;
    for (const socket of this.#idle) socket.destroy();
  }
}
