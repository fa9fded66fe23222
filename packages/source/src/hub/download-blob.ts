// One file into the cache: fetched with resume, hashed while it arrives, renamed only when the hash is
// what the hub says. (@huggingface/hub restarts from byte 0 after a cut and does not check the hash.)
import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { QuernError } from '@quern/errors';
import { type HttpOptions, readRange } from '../http-range.ts';
import { writeError } from '../write-error.ts';

export interface BlobRequest {
  url: string;
  /** Final path; of the hub's cache, the hash is its name. */
  blobPath: string;
  /** Name in the repository, for errors. */
  file: string;
  /** Bytes. */
  size: number;
  /** As of the answer that told the size: another one means that the file changed. */
  etag?: string;
  /** Hex SHA-256 of an LFS file, or git's SHA-1 (`"blob <size>\0" + content`) of a small one; elsewhere nobody says. */
  hash?: { kind: 'sha256' | 'git-sha1'; hex: string };
  /** Called with the bytes present so far. */
  onBytes?: (received: number) => void;
  /** Told of files that stay behind when the run is stopped, for the next one to go on with. */
  onUnfinished?: (...paths: string[]) => void;
}

/**
 * @throws QuernError `hub-wrong-hash` (the bytes are deleted), `disk-full`, `write-failed`, and those of `readRange`.
 */
export async function downloadBlob(request: BlobRequest, http: HttpOptions): Promise<void> {
  const { blobPath, size, onBytes } = request;
  const partial = `${blobPath}.incomplete`;
  if ((await sizeOf(blobPath)) === size) {
    onBytes?.(size);
    return;
  }
  await mkdir(dirname(blobPath), { recursive: true });
  request.onUnfinished?.(partial);
  const hash = newHash(request);
  const handle = await open(partial, 'a+').then(async (created) => {
    // 'a+' makes the file when it is missing; writing by position needs 'r+'.
    await created.close();
    return open(partial, 'r+');
  });
  try {
    await receive(request, http, handle, hash);
    await handle.sync();
  } finally {
    await handle.close();
  }
  const got = hash.digest('hex');
  if (request.hash && got !== request.hash.hex) {
    await rm(partial, { force: true });
    throw new QuernError('hub-wrong-hash', `The ${request.hash.kind} is ${got}, not ${request.hash.hex}.`, {
      file: request.file,
      remedy: 'The damaged bytes were deleted: try again.',
    });
  }
  await rename(partial, blobPath).catch(async (error) => {
    // Another process may have finished the same file first.
    if ((await sizeOf(blobPath)) !== size) throw error;
  });
}

async function receive(request: BlobRequest, http: HttpOptions, handle: FileHandle, hash: Hash): Promise<void> {
  const { url, size, etag, onBytes } = request;
  let have = (await handle.stat()).size;
  if (have > size) {
    await handle.truncate(0);
    have = 0;
  }
  await hashPrefix(handle, have, hash);
  onBytes?.(have);
  for await (const chunk of readRange({ ...http, url, etag, start: have, end: size })) {
    for (let done = 0; done < chunk.length; ) {
      const { bytesWritten } = await handle.write(chunk, done, chunk.length - done, have + done).catch((cause) => {
        throw writeError(request.blobPath, size, cause);
      });
      done += bytesWritten;
    }
    hash.update(chunk);
    have += chunk.length;
    onBytes?.(have);
  }
}

/** Bytes of an earlier attempt count towards the hash too. */
async function hashPrefix(handle: FileHandle, length: number, hash: Hash): Promise<void> {
  const buffer = new Uint8Array(2 ** 20);
  for (let at = 0; at < length; ) {
    const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, length - at), at);
    if (bytesRead === 0) throw new QuernError('source-changed', 'The partial download shrank while it was read.');
    hash.update(buffer.subarray(0, bytesRead));
    at += bytesRead;
  }
}

function newHash({ hash, size }: BlobRequest): Hash {
  return hash?.kind !== 'git-sha1' ? createHash('sha256') : createHash('sha1').update(`blob ${size}\0`);
}

function sizeOf(path: string): Promise<number | undefined> {
  return stat(path).then(
    ({ size }) => size,
    () => undefined,
  );
}
