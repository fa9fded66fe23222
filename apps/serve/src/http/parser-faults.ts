// What Node's parser refuses never comes to an endpoint, and Node's own answers have no body: a client shows its user nothing then.
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { ApiError } from '../api-error.ts';

interface Fault {
  readonly status: string;
  readonly code: string;
  readonly message: string;
}

const malformed: Fault = { status: '400 Bad Request', code: 'invalid_http', message: 'This is no HTTP request' };

const faults: Readonly<Record<string, Fault>> = {
  HPE_INVALID_EOF_STATE: {
    status: '400 Bad Request',
    code: 'body_incomplete',
    message: 'The connection ended before the whole request had come.',
  },
  HPE_HEADER_OVERFLOW: {
    status: '431 Request Header Fields Too Large',
    code: 'headers_too_large',
    message: 'The headers of the request are larger than 16 KiB.',
  },
  HPE_CHUNK_EXTENSIONS_OVERFLOW: {
    status: '413 Payload Too Large',
    code: 'headers_too_large',
    message: 'The extensions of a chunk are larger than 16 KiB.',
  },
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: '408 Request Timeout',
    code: 'request_too_slow',
    message: 'The head of the request did not come in time.',
  },
};

export function answerParserFaults(server: Server): void {
  const answers = new WeakMap<Socket, ServerResponse>();
  server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => answers.set(socket, response));
  server.on('clientError', (error: Error & { code?: string; reason?: string }, socket: Socket) => {
    const answer = answers.get(socket);
    // In the middle of another answer nothing can be said.
    if (!socket.writable || (answer?.headersSent && !answer.writableFinished)) {
      socket.destroy();
      return;
    }
    const known = faults[error.code ?? ''];
    const { status, code, message } = known ?? malformed;
    const told = known ? message : `${message}: ${error.reason ?? error.message}.`;
    const body = JSON.stringify(new ApiError(400, code, told).body());
    const head = [`HTTP/1.1 ${status}`, 'Connection: close', 'Content-Type: application/json'];
    socket.end(`${[...head, `Content-Length: ${Buffer.byteLength(body)}`].join('\r\n')}\r\n\r\n${body}`);
  });
}
