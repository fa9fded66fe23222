// A file being written: under `<path>.partial` until every byte is there, then renamed. A killed or failed run leaves
// nothing under the final name, and the next run starts over on the same partial file.
import { type FileHandle, open, rename, rm, stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { QuernError } from '@quern/errors';
import { diskFull, writeError } from './write-error.ts';

/** Random-access writing to one file of known size. Writes may come in any order and several at once. */
export interface FileSink {
  /** The final name. */
  readonly path: string;
  /** The name while writing. */
  readonly partialPath: string;
  /** Final size in bytes. Bytes never written read as zero. */
  readonly size: number;
  /** @throws QuernError `disk-full`, `file-too-large`, `write-failed`, `write-out-of-range`. */
  write(bytes: Uint8Array, offset: number): Promise<void>;
  /** Flushes to the disk, then gives the file its final name. */
  finish(): Promise<void>;
  /** Removes the partial file. Safe to call at any time, also after `finish` (where it does nothing). */
  abort(): Promise<void>;
}

/**
 * Creates `<path>.partial` with its full size. The space is checked against what the file system reports as free, and
 * every write still reports a full disk: the file is sparse until written.
 * @throws QuernError `disk-full`, `file-too-large`, `write-failed`.
 */
export async function createFileSink(path: string, size: number): Promise<FileSink> {
  const partialPath = `${path}.partial`;
  const fail = (cause: unknown): never => {
    throw writeError(path, size, cause);
  };
  // Else the rename would fail, after all the work.
  if ((await stat(path).catch(() => undefined))?.isDirectory()) {
    throw new QuernError('write-failed', 'A folder has this name.', { file: path, remedy: 'Give a file name.' });
  }
  let handle: FileHandle | undefined = await open(partialPath, 'w').catch(fail);

  const abort = async (): Promise<void> => {
    if (!handle) return;
    const open = handle;
    handle = undefined;
    // A handle that cannot even be closed must not keep the partial file from being removed.
    await open.close().catch(() => undefined);
    await rm(partialPath, { force: true });
  };

  try {
    const free = await freeBytes(dirname(path));
    if (free !== undefined && free < size) {
      throw diskFull(path, size, `only ${free} bytes are free`);
    }
    await handle.truncate(size).catch(fail);
  } catch (error) {
    await abort();
    throw error;
  }

  return {
    path,
    partialPath,
    size,
    async write(bytes, offset) {
      if (!handle) throw new QuernError('write-failed', 'The file is already closed.', { file: path });
      if (!Number.isSafeInteger(offset) || offset < 0 || offset > size - bytes.length) {
        throw new QuernError('write-out-of-range', `${bytes.length} bytes do not fit into a file of ${size}.`, {
          file: path,
          offset,
        });
      }
      for (let done = 0; done < bytes.length; ) {
        done += (await handle.write(bytes, done, bytes.length - done, offset + done).catch(fail)).bytesWritten;
      }
    },
    async finish() {
      if (!handle) throw new QuernError('write-failed', 'The file is already closed.', { file: path });
      await handle.sync().catch(fail);
      await handle.close().catch(fail);
      handle = undefined;
      await rename(partialPath, path).catch(fail);
      await syncDirectory(dirname(path));
    },
    abort,
  };
}

/** What the file system says is free for us, or undefined where it does not say. */
async function freeBytes(dir: string): Promise<number | undefined> {
  try {
    const { bavail, bsize, blocks } = await statfs(dir);
    return blocks > 0 ? bavail * bsize : undefined;
  } catch {
    return undefined;
  }
}

/** Makes the rename durable. Not every system lets a directory be opened; the data itself is synced already. */
async function syncDirectory(dir: string): Promise<void> {
  const handle = await open(dir, 'r').catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}
