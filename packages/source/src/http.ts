// A file behind HTTP, read by ranges. Works in browsers. The server must support range requests, and the file must stay
// as it was when opened (size and ETag are compared on every answer).
import { type HttpOptions, parseContentRange, readRange } from './http-range.ts';
import { withoutLfsPointer } from './lfs-pointer.ts';
import { checkRange } from './range.ts';
import type { Source } from './source.ts';

export interface HttpSourceOptions extends HttpOptions {
  /**
   * Size in bytes, when it is known from elsewhere: then nothing is asked before the first read, and of a server that
   * sends whole files the bytes before and after the range are thrown away.
   */
  size?: number;
}

/**
 * Asks for the first byte to learn the size.
 * @throws QuernError `source-lfs-pointer`, `http-unauthorized`, `http-not-found`, `http-status`, `http-no-range`, `http-failed`; reads also
 *   `source-changed` and `source-out-of-range`.
 */
export async function httpSource(url: string, options: HttpSourceOptions = {}): Promise<Source> {
  const mustRange = options.size === undefined;
  const { size, etag } =
    options.size === undefined ? await probe(url, options) : { size: options.size, etag: undefined };

  const readInto = async (target: Uint8Array, offset: number): Promise<void> => {
    checkRange(url, size, offset, target.length);
    let at = 0;
    const end = offset + target.length;
    for await (const chunk of readRange({ ...options, url, start: offset, end, size, etag, mustRange })) {
      target.set(chunk, at);
      at += chunk.length;
    }
  };

  return withoutLfsPointer({
    name: url,
    size,
    readInto,
    async read(offset, length) {
      checkRange(url, size, offset, length);
      const bytes = new Uint8Array(length);
      await readInto(bytes, offset);
      return bytes;
    },
    async close() {},
  });
}

async function probe(url: string, options: HttpOptions): Promise<{ size: number; etag?: string }> {
  let size = 0;
  let etag: string | undefined;
  let empty = false;
  const onResponse = (response: Response): void => {
    size = parseContentRange(response)?.size ?? 0;
    etag = response.headers.get('etag') ?? undefined;
    // An empty file has no first byte: status 416, `bytes */0`.
    empty = response.status === 416 && parseContentRange(response)?.size === 0;
  };
  try {
    for await (const _ of readRange({ ...options, url, start: 0, end: 1, mustRange: true, onResponse }));
  } catch (error) {
    if (!empty) throw error;
  }
  return { size, etag };
}
