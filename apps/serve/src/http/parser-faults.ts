// What Node's parser refuses never comes to an endpoint, and Node's own answers have no body: a client shows its user nothing then.
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { ApiError } from '../api-error.ts';
import { type ErrorForms, rawAnswer } from './raw-answer.ts';

const faults: Readonly<Record<string, ApiError>> = {
  HPE_INVALID_EOF_STATE: new ApiError(
    400,
    'body_incomplete',
    'The connection ended before the whole request had come.',
  ),
  HPE_HEADER_OVERFLOW: new ApiError(431, 'headers_too_large', 'The headers of the request are larger than 16 KiB.'),
  HPE_CHUNK_EXTENSIONS_OVERFLOW: new ApiError(
    413,
    'headers_too_large',
    'The extensions of a chunk are larger than 16 KiB.',
  ),
  ERR_HTTP_REQUEST_TIMEOUT: new ApiError(408, 'request_too_slow', 'The head of the request did not come in time.'),
};

type ParserError = Error & { code?: string; reason?: string };

const faultOf = (error: ParserError): ApiError =>
  faults[error.code ?? ''] ??
  new ApiError(400, 'invalid_http', `This is no HTTP request: ${error.reason ?? error.message}.`);

export function answerParserFaults(server: Server, forms: ErrorForms): void {
  const last = new WeakMap<Socket, { request: IncomingMessage; response: ServerResponse }>();
  server.on('request', (request: IncomingMessage, response: ServerResponse) =>
    last.set(request.socket, { request, response }),
  );
  server.on('clientError', (error: ParserError, socket: Socket) => {
    const { request, response } = last.get(socket) ?? {};
    // In the middle of another answer nothing can be said.
    if (!socket.writable || (response?.headersSent && !response.writableFinished)) {
      socket.destroy();
      return;
    }
    // Of a request that was whole, the fault is in the one behind it.
    socket.end(rawAnswer(faultOf(error), forms, request?.complete ? undefined : request));
  });
}
