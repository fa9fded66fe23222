// Bytes over HTTP that survive a cut: a range request (RFC 9110 §14) that goes on where the connection broke. Works in
// browsers.
import { QuernError } from '@quern/errors';

export interface HttpOptions {
  headers?: Readonly<Record<string, string>>;
  fetch?: typeof fetch;
  signal?: AbortSignal;
  /** Give up an attempt when no byte came for so long. Default 30 s. */
  stallMs?: number;
  /** Attempts without any progress before giving up. Default 5. */
  attempts?: number;
  /** Pause before the second attempt; doubled each time. Default 500 ms. */
  retryMs?: number;
}

export interface RangeRequest extends HttpOptions {
  url: string;
  /** First byte. */
  start: number;
  /** One past the last byte. */
  end: number;
  /** The whole file's size, when known: an answer with another size means that the file changed. */
  size?: number;
  /** ETag of an earlier answer: another one means that the file changed. */
  etag?: string;
  /** Refuse a server that sends the whole file instead of the range; else the bytes before it are skipped. */
  mustRange?: boolean;
  /** Sees the head of every answer before it is judged. */
  onResponse?: (response: Response) => void;
}

/** A failure that may pass: worth another attempt. */
class Passing extends Error {
  readonly retryAfterMs: number;
  constructor(message: string, cause?: unknown, retryAfterMs = 0) {
    super(message, { cause });
    this.retryAfterMs = retryAfterMs;
  }
}

/**
 * Yields the bytes `start…end` in order.
 * @throws QuernError `http-failed` (network, after all attempts), `http-unauthorized`, `http-not-found`, `http-status`,
 *   `http-no-range`, `http-bad-range`, `source-changed`.
 */
export async function* readRange(request: RangeRequest): AsyncGenerator<Uint8Array, void, undefined> {
  const { attempts = 5, retryMs = 500 } = request;
  let position = request.start;
  let failures = 0;
  while (position < request.end) {
    try {
      for await (const chunk of attempt(request, position)) {
        position += chunk.length;
        failures = 0;
        yield chunk;
      }
    } catch (error) {
      if (!(error instanceof Passing)) throw error;
      failures++;
      if (failures >= attempts) {
        throw new QuernError('http-failed', `Gave up after ${failures} attempts: ${error.message}.`, {
          file: request.url,
          offset: position,
          cause: error.cause ?? error,
          remedy: 'Check the network and try again.',
        });
      }
      await pause(Math.min(Math.max(retryMs * 2 ** (failures - 1), error.retryAfterMs), 60_000), request.signal);
    }
  }
}

async function* attempt(request: RangeRequest, position: number): AsyncGenerator<Uint8Array, void, undefined> {
  const { url, end, stallMs = 30_000 } = request;
  const stall = new AbortController();
  const signal = request.signal ? AbortSignal.any([request.signal, stall.signal]) : stall.signal;
  let timer = setTimeout(() => stall.abort(), stallMs);
  let body: ReadableStreamDefaultReader<Uint8Array> | undefined;
  try {
    const response = await (request.fetch ?? fetch)(url, {
      signal,
      headers: {
        ...request.headers,
        range: `bytes=${position}-${end - 1}`,
        // A compressed answer would count other bytes than we do.
        'accept-encoding': 'identity',
      },
    });
    body = response.body?.getReader();
    request.onResponse?.(response);
    let skip = checkResponse(response, request, position);
    for (let at = position; at < end; ) {
      const read = await body?.read();
      if (!read || read.done) throw new Passing('the connection ended early');
      clearTimeout(timer);
      timer = setTimeout(() => stall.abort(), stallMs);
      const skipped = Math.min(skip, read.value.length);
      skip -= skipped;
      const chunk = read.value.subarray(skipped, skipped + end - at);
      at += chunk.length;
      if (chunk.length > 0) yield chunk;
    }
  } catch (error) {
    if (request.signal?.aborted) throw request.signal.reason;
    if (error instanceof QuernError || error instanceof Passing) throw error;
    throw new Passing(stall.signal.aborted ? `no byte came for ${stallMs} ms` : networkReason(error), error);
  } finally {
    clearTimeout(timer);
    // Ends a connection that still has bytes to send.
    await body?.cancel().catch(() => undefined);
  }
}

/** How many bytes of the body lie before `position`. */
function checkResponse(response: Response, request: RangeRequest, position: number): number {
  checkStatus(response, request.url);
  const place = { file: request.url, offset: position };
  const etag = response.headers.get('etag');
  if (request.etag && etag && etag !== request.etag) {
    throw new QuernError(
      'source-changed',
      `The file changed on the server (ETag ${request.etag}, now ${etag}).`,
      place,
    );
  }
  if (response.status === 200) {
    if (!request.mustRange) return position;
    throw new QuernError('http-no-range', 'The server sends whole files only.', {
      ...place,
      remedy: 'Download the file first.',
    });
  }
  const range = parseContentRange(response);
  if (!range) {
    throw new QuernError('http-bad-range', 'The answer does not say which bytes it holds (Content-Range).', {
      ...place,
      remedy: 'A server of another origin must expose that header to the page (Access-Control-Expose-Headers).',
    });
  }
  if (range.start !== position) {
    throw new QuernError('http-bad-range', `Answered with ${response.headers.get('content-range')}.`, place);
  }
  if (request.size !== undefined && range.size !== request.size) {
    throw new QuernError('source-changed', `The file has ${range.size} bytes now, not ${request.size}.`, place);
  }
  return 0;
}

/** @throws Passing for a status that may pass, QuernError for the others that are not 200 or 206 */
function checkStatus(response: Response, url: string): void {
  const { status } = response;
  if (status === 200 || status === 206) return;
  if (status === 408 || status === 425 || status === 429 || status >= 500) {
    const retryAfter = Number(response.headers.get('retry-after'));
    throw new Passing(`status ${status}`, undefined, Number.isFinite(retryAfter) ? retryAfter * 1000 : 0);
  }
  const [code, remedy] =
    status === 401 || status === 403
      ? ['http-unauthorized', 'Give a valid access token.']
      : status === 404 || status === 410
        ? ['http-not-found', 'Check the address.']
        : ['http-status', undefined];
  throw new QuernError(code!, `The server answered with status ${status}.`, { file: url, remedy });
}

// `bytes 0-99/1234`, or with status 416 an asterisk for the range.
export function parseContentRange(response: Response): { start?: number; size: number } | undefined {
  const match = /^bytes (?:(\d+)-\d+|\*)\/(\d+)$/.exec(response.headers.get('content-range') ?? '');
  if (!match) return undefined;
  return { start: match[1] === undefined ? undefined : Number(match[1]), size: Number(match[2]) };
}

function networkReason(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error ? `${message}: ${cause.message}` : message;
}

function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(signal!.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
