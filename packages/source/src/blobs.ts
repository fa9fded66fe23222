// Files by the hash of their content, `sha256-<64 digits>` in one folder, as Ollama keeps them. What arrives stands under a name
// of its own until every byte is there and the hash is the one that was told; two who send the same do not meet.
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { QuernError } from '@quern/errors';
import { missingSpace } from './free-space.ts';
import { diskFull, writeError } from './write-error.ts';

/** `sha256:<64 hexadecimal digits>`; also with a dash, as in names of files. @throws QuernError `digest-malformed` */
export function parseDigest(text: string): string {
  const [, hex] = /^sha256[:-]([0-9a-f]{64})$/i.exec(text) ?? [];
  if (hex !== undefined) return `sha256:${hex.toLowerCase()}`;
  throw new QuernError('digest-malformed', `${JSON.stringify(text.slice(0, 100))} is no digest.`, {
    remedy: 'Write sha256: and the 64 hexadecimal digits of the file’s SHA-256.',
  });
}

/** @param digest as `parseDigest` gives it */
export const blobPath = (dir: string, digest: string): string => join(dir, digest.replace(':', '-'));

/** Bytes; undefined: it is not there. */
export const blobBytes = (dir: string, digest: string): Promise<number | undefined> =>
  stat(blobPath(dir, digest)).then(
    (found) => found.size,
    () => undefined,
  );

const unfinished = '.partial';

/** A name in the folder for what is no blob yet; `removeStrayBlobs` knows it. */
export const unfinishedPath = (dir: string): string => join(dir, `${randomUUID()}${unfinished}`);

/**
 * Takes in a file whose digest is told.
 * @param size what is to come, where that is known: whether the disk has room is asked first
 * @throws QuernError `digest-wrong`, `disk-full`, `write-denied`, `write-failed`, and whatever `chunks` throws; nothing stays behind
 */
export async function receiveBlob(
  dir: string,
  digest: string,
  chunks: AsyncIterable<Uint8Array>,
  { size, signal }: { size?: number; signal?: AbortSignal } = {},
): Promise<void> {
  const path = blobPath(dir, digest);
  const partial = unfinishedPath(dir);
  let have = 0;
  const fail = (cause: unknown): never => {
    throw writeError(path, size ?? have, cause);
  };
  await mkdir(dir, { recursive: true }).catch(fail);
  const missing = size === undefined ? undefined : await missingSpace(path, size, partial);
  if (missing) throw diskFull(path, size!, `only ${missing.free} bytes are free`);
  const handle = await open(partial, 'wx').catch(fail);
  const hash = createHash('sha256');
  try {
    try {
      for await (const chunk of chunks) {
        signal?.throwIfAborted();
        for (let done = 0; done < chunk.length; )
          done += (await handle.write(chunk, done, chunk.length - done).catch(fail)).bytesWritten;
        hash.update(chunk);
        have += chunk.length;
      }
      await handle.datasync().catch(fail);
    } finally {
      await handle.close().catch(() => {});
    }
    const got = `sha256:${hash.digest('hex')}`;
    if (got !== digest)
      throw new QuernError('digest-wrong', `The digest is ${got} (of ${have} bytes), not ${digest}.`, {
        remedy: 'Send the whole file again, with its own digest.',
      });
    await rename(partial, path).catch(fail);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}

export async function digestOfFile(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20, signal })) hash.update(chunk as Buffer);
  return `sha256:${hash.digest('hex')}`;
}

/** Makes a finished file of the same file system a blob. @returns its digest */
export async function adoptBlob(dir: string, path: string, signal?: AbortSignal): Promise<string> {
  const digest = await digestOfFile(path, signal);
  await rename(path, blobPath(dir, digest));
  return digest;
}

/** @returns bytes that became free */
export async function removeBlob(dir: string, digest: string): Promise<number> {
  const bytes = await blobBytes(dir, digest);
  await rm(blobPath(dir, digest), { force: true });
  return bytes ?? 0;
}

/**
 * Removes what nobody uses and nobody has touched for a while: what was sent and never made a model of, what was not sent to its end.
 * @returns bytes that became free
 */
export async function removeStrayBlobs(dir: string, used: ReadonlySet<string>, olderThanMs: number): Promise<number> {
  let freed = 0;
  for (const name of await readdir(dir).catch(() => [])) {
    const isBlob = /^sha256-[0-9a-f]{64}$/.test(name);
    if (!isBlob && !name.includes(unfinished)) continue;
    if (isBlob && used.has(name.replace('-', ':'))) continue;
    const found = await stat(join(dir, name)).catch(() => undefined);
    if (!found || Date.now() - found.mtimeMs < olderThanMs) continue;
    await rm(join(dir, name), { force: true });
    freed += found.size;
  }
  return freed;
}
