// A file being written: under `<path>.partial` until every byte is there, then renamed. A killed or failed run leaves
// nothing under the final name. The next run starts over, or goes on with the partial file when it can tell what is in it.
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { QuernError } from '@quern/errors';
import { missingSpace } from './free-space.ts';
import { diskFull, writeError } from './write-error.ts';

/** Random-access writing to one file of known size. Writes may come in any order and several at once. */
export interface FileSink {
  /** The final name. */
  readonly path: string;
  /** The name while writing. */
  readonly partialPath: string;
  /** Final size in bytes. Bytes never written read as zero. */
  readonly size: number;
  /** @throws QuernError `disk-full`, `file-too-large`, `write-denied`, `write-failed`, `write-out-of-range`. */
  write(bytes: Uint8Array, offset: number): Promise<void>;
  /** Everything written so far is on the disk. */
  sync(): Promise<void>;
  /** Flushes to the disk, then gives the file its final name. @throws QuernError also `output-taken`. */
  finish(): Promise<void>;
  /** Closes, and leaves the partial file for a later run. */
  suspend(): Promise<void>;
  /** Removes the partial file. Safe to call at any time, also after `finish` (where it does nothing). */
  abort(): Promise<void>;
}

export interface FileSinkOptions {
  /** Keep the bytes of a partial file of the same size; the caller knows which of them are worth it. */
  resume?: boolean;
  /** The caller can go on with a partial file later: errors say so. */
  resumable?: boolean;
}

export const partialPathOf = (path: string): string => `${path}.partial`;

/**
 * Creates `<path>.partial` with its full size. The space is checked against what the file system reports as free, and
 * every write still reports a full disk: the file is sparse until written.
 * @throws QuernError `disk-full`, `file-too-large`, `write-denied`, `write-failed`.
 */
export async function createFileSink(path: string, size: number, options: FileSinkOptions = {}): Promise<FileSink> {
  const partialPath = partialPathOf(path);
  const fail = (cause: unknown): never => {
    throw writeError(path, size, cause, options);
  };
  // Else the rename would fail after all the work, or put a file in the place of a device (/dev/null, for whoever may).
  const there = await stat(path).catch(() => undefined);
  if (there && !there.isFile()) {
    const what = there.isDirectory() ? 'A folder' : 'A device, a pipe or a socket';
    throw new QuernError('write-failed', `${what} has this name.`, { file: path, remedy: 'Give the name of a file.' });
  }
  if (!options.resume) await rm(partialPath, { force: true }).catch(fail);
  let handle: FileHandle | undefined = await open(partialPath, options.resume ? 'r+' : 'wx+').catch(fail);

  const close = async (): Promise<boolean> => {
    if (!handle) return false;
    const closing = handle;
    handle = undefined;
    // A handle that cannot even be closed must not keep the partial file from being removed.
    await closing.close().catch(() => undefined);
    return true;
  };
  const abort = async (): Promise<void> => {
    if (await close()) await rm(partialPath, { force: true });
  };

  try {
    const missing = await missingSpace(path, size, partialPath);
    if (missing) throw diskFull(path, size, `only ${missing.free} bytes are free`);
    await handle.truncate(size).catch(fail);
  } catch (error) {
    await (options.resume ? close() : abort());
    throw error;
  }
  const opened = (): FileHandle => {
    if (handle) return handle;
    throw new QuernError('write-failed', 'The file is already closed.', { file: path });
  };

  return {
    path,
    partialPath,
    size,
    async write(bytes, offset) {
      const file = opened();
      if (!Number.isSafeInteger(offset) || offset < 0 || offset > size - bytes.length) {
        throw new QuernError('write-out-of-range', `${bytes.length} bytes do not fit into a file of ${size}.`, {
          file: path,
          offset,
        });
      }
      for (let done = 0; done < bytes.length; ) {
        done += (await file.write(bytes, done, bytes.length - done, offset + done).catch(fail)).bytesWritten;
      }
    },
    sync: () => opened().datasync().catch(fail),
    async finish() {
      const file = opened();
      await file.datasync().catch(fail);
      await requireStillOurs(file, partialPath);
      await file.close().catch(fail);
      handle = undefined;
      await rename(partialPath, path).catch(fail);
      await syncDirectory(dirname(path));
    },
    async suspend() {
      await close();
    },
    abort,
  };
}

/** Another process may have discarded our partial file and begun its own under the same name. */
async function requireStillOurs(file: FileHandle, partialPath: string): Promise<void> {
  const [ours, there] = await Promise.all([file.stat(), stat(partialPath).catch(() => undefined)]);
  if (there?.ino === ours.ino && there.dev === ours.dev) return;
  throw new QuernError('output-taken', 'Another process writes the same output file.', {
    file: partialPath,
    remedy: 'Let it finish, or choose another name for the output.',
  });
}

/** Makes the rename durable. Not every system lets a directory be opened; the data itself is synced already. */
async function syncDirectory(dir: string): Promise<void> {
  const handle = await open(dir, 'r').catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}
