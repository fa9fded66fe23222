// A file of any web server into the hub's cache folder, so that the next run finds it: urls--<hash of the address>/NAME,
// and beside it what the server said of the file when it was fetched.
import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { QuernError } from '@quern/errors';
import { type HttpOptions, parseContentRange, readRange } from '../http-range.ts';
import { downloadBlob } from './download-blob.ts';
import type { FetchWatch } from './repository.ts';
import { requireRoom } from './require-room.ts';
import { type HubOptions, hubSettings } from './settings.ts';

export interface UrlRequest extends Pick<HubOptions, 'cacheDir' | 'offline'>, FetchWatch {
  url: string;
  /** Sees the first four bytes before the rest is fetched; may throw. */
  judge?: (magic: Uint8Array) => void;
  signal?: AbortSignal;
  http?: Omit<HttpOptions, 'signal' | 'headers'>;
}

/** What the server says of the file. */
interface Stamp {
  readonly size: number;
  readonly etag?: string;
}

/**
 * @returns the path of the file
 * @throws QuernError `hub-offline`, `http-*`, `source-changed`, `refused-disk-space`, `disk-full`
 */
export async function downloadUrl(request: UrlRequest): Promise<string> {
  const { url, signal, onProgress, onUnfinished } = request;
  const { cacheDir, offline } = await hubSettings(request);
  const dir = join(cacheDir, folderOf(url));
  const file = fileNameOf(url);
  const path = join(dir, file);
  const stampPath = `${path}.stamp.json`;
  if (offline) {
    if (await stat(path).catch(() => undefined)) return path;
    throw new QuernError('hub-offline', 'The file is not in the cache, and we are offline.', {
      file: url,
      remedy: 'Fetch it once online (without HF_HUB_OFFLINE).',
    });
  }
  const http: HttpOptions = { ...request.http, signal };
  const { stamp, magic } = await probe(url, http);
  request.judge?.(magic);
  const known = await readFile(stampPath, 'utf8').catch(() => undefined);
  if (known !== JSON.stringify(stamp)) {
    for (const old of [path, `${path}.incomplete`]) await rm(old, { force: true });
    await mkdir(dir, { recursive: true });
    await writeFile(stampPath, JSON.stringify(stamp));
  }
  const { size, etag } = stamp;
  await requireRoom(cacheDir, [{ blobPath: path, size }], file);
  const onBytes = (received: number): void =>
    onProgress?.({ file, fileReceivedBytes: received, fileBytes: size, receivedBytes: received, totalBytes: size });
  await downloadBlob({ url, blobPath: path, file: url, size, etag, onBytes, onUnfinished }, http);
  return path;
}

/** One for each address, but one for all splits of a model, which must lie together. */
function folderOf(url: string): string {
  const address = url.replace(/-\d{5}(-of-\d{5}\.gguf)/i, '$1');
  return `urls--${createHash('sha256').update(address).digest('hex').slice(0, 24)}`;
}

/** The last part of the address, as far as any file system can write it. */
function fileNameOf(url: string): string {
  const last = new URL(url).pathname.split('/').at(-1)!;
  const name = last
    .replaceAll('%20', ' ')
    .replaceAll(/[^\w. -]/g, '_')
    .replace(/^[. ]+/, '');
  return name.slice(-200) || 'model';
}

/** Size, ETag and first bytes; a server that sends whole files is cut off after them. */
async function probe(url: string, http: HttpOptions): Promise<{ stamp: Stamp; magic: Uint8Array }> {
  let stamp: Stamp | undefined;
  const onResponse = (response: Response): void => {
    const etag = response.headers.get('etag');
    const length = response.status === 200 ? Number(response.headers.get('content-length') ?? Number.NaN) : Number.NaN;
    const size = parseContentRange(response)?.size ?? length;
    if (Number.isSafeInteger(size)) stamp = { size, ...(etag !== null && { etag }) };
  };
  const magic = new Uint8Array(4);
  let at = 0;
  for await (const chunk of readRange({ ...http, url, start: 0, end: 4, onResponse })) {
    magic.set(chunk, at);
    at += chunk.length;
  }
  if (stamp) return { stamp, magic };
  throw new QuernError('http-no-size', 'The server does not say how large the file is.', {
    file: url,
    remedy: 'Download the file first, and give its path.',
  });
}
