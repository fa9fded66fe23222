// An answer where no endpoint gives one, because the request is not there as a whole: written to the socket as it is, in the form of the
// API that was asked, as far as that is known.
import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { ApiError } from '../api-error.ts';

/** How the API of a path tells of failures; undefined: as OpenAI's does. */
export type ErrorForms = (path: string) => ((error: ApiError) => object) | undefined;

/** @param request what is known of it */
export function rawAnswer(error: ApiError, forms: ErrorForms, request?: Pick<IncomingMessage, 'url'>): string {
  const form = forms((request?.url ?? '').replace(/[?#].*$/s, ''));
  const body = JSON.stringify(form?.(error) ?? error.body());
  const head = [
    `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status]}`,
    'Connection: close',
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}
