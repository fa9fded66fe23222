// What a client gets when a request fails: OpenAI's error object, `{error: {message, type, code, param}}`. SDKs choose the
// exception they throw by the status and show `message`, so every message says what was wrong and, with numbers, why.
import { QuernError } from '@quern/errors';

export type ErrorStatus = 400 | 401 | 403 | 404 | 405 | 408 | 409 | 413 | 415 | 431 | 500 | 501 | 503 | 504 | 507;

export interface ApiErrorDetails {
  /** The request field at fault, e.g. `messages.0.role`. */
  param?: string;
  /** Of a prompt that does not fit: what it has, and what the model takes. */
  tokens?: { readonly prompt: number; readonly context: number };
  headers?: Record<string, string>;
}

const types: Record<ErrorStatus, string> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'invalid_request_error',
  405: 'invalid_request_error',
  408: 'timeout_error',
  409: 'invalid_request_error',
  413: 'invalid_request_error',
  415: 'invalid_request_error',
  431: 'invalid_request_error',
  500: 'server_error',
  501: 'not_supported_error',
  503: 'overloaded_error',
  504: 'timeout_error',
  507: 'server_error',
};

/** A failure with an HTTP status; thrown anywhere below an endpoint, turned into a response in one place. */
export class ApiError extends Error {
  readonly status: ErrorStatus;
  readonly code: string;
  readonly param: string | null;
  readonly headers: Record<string, string>;
  readonly tokens: ApiErrorDetails['tokens'];

  constructor(status: ErrorStatus, code: string, message: string, details: ApiErrorDetails = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.param = details.param ?? null;
    this.headers = details.headers ?? {};
    this.tokens = details.tokens;
  }

  /** The same fault by the names that another API has for its fields. */
  renamed(names: Readonly<Record<string, string>>): ApiError {
    const { param } = this;
    const name = param === null ? undefined : names[param];
    if (name === undefined) return this;
    const { message } = this;
    const told = message.startsWith(`${param}: `) ? `${name}${message.slice(param!.length)}` : message;
    return this.#changed(told, { param: name });
  }

  withHeader(name: string, value: string): ApiError {
    return this.#changed(this.message, { headers: { ...this.headers, [name]: value } });
  }

  #changed(message: string, details: ApiErrorDetails): ApiError {
    const { status, code, param, headers, tokens } = this;
    return new ApiError(status, code, message, { ...(param !== null && { param }), headers, tokens, ...details });
  }

  /** For forms that have no place for the field at fault, or clients that show the text alone: the message begins with it. */
  get namedMessage(): string {
    const { message, param } = this;
    return param === null || message.startsWith(param) ? message : `${param}: ${message}`;
  }

  body(): { error: { message: string; type: string; code: string; param: string | null } } {
    return { error: { message: this.message, type: types[this.status], code: this.code, param: this.param } };
  }

  /** @param bodyOf the words of another API than OpenAI's */
  response(bodyOf: (error: ApiError) => object = (error) => error.body()): Response {
    return Response.json(bodyOf(this), { status: this.status, headers: this.headers });
  }
}

/** What the engine finds wrong with a request that passed the checks before it. */
const requestFaults = new Set([
  'beams-do-not-fit',
  'blob-missing',
  'digest-wrong',
  'embedding-empty',
  'no-embeddings',
  'no-logits',
  'manifest-too-large',
  'no-token-allowed',
  'prompt-too-long',
  'request-invalid',
  'sampling-invalid',
  'slot-empty',
  'slot-file-damaged',
  'slot-file-foreign',
  'slot-file-missing',
  'slot-file-name',
  'slot-saving-off',
  'slot-text-too-large',
  'slot-unknown',
  'token-out-of-range',
  'tokenizer-byte-missing',
]);

/** The disk is full, or would be. */
const noRoom = new Set(['disk-full', 'refused-disk-space', 'file-too-large']);

/** Whatever was thrown, as an ApiError. What the server did not expect is its own fault: 500, with the cause's code. */
export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof QuernError && error.code === 'deadline-exceeded')
    return new ApiError(504, 'deadline_exceeded', error.message, { param: 'deadline_ms' });
  if (error instanceof QuernError && noRoom.has(error.code))
    return new ApiError(507, error.code.replaceAll('-', '_'), error.describe());
  // A question that could be asked again; what was to be computed is not lost yet.
  if (error instanceof QuernError && error.code === 'engine-not-answering')
    return new ApiError(503, error.code, error.message, { headers: { 'retry-after': '1' } });
  if (error instanceof QuernError) {
    return new ApiError(requestFaults.has(error.code) ? 400 : 500, error.code, error.describe());
  }
  return new ApiError(500, 'internal_error', error instanceof Error ? error.message : String(error));
}
