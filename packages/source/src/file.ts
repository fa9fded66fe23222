// A file on disk, read by position (pread). Several reads may be under way at once.
import { type FileHandle, open } from 'node:fs/promises';
import { QuernError } from '@quern/errors';
import { withoutLfsPointer } from './lfs-pointer.ts';
import { checkRange } from './range.ts';
import type { Source } from './source.ts';

// The kernel caps one read below 2 GiB.
const maxReadBytes = 2 ** 30;

/**
 * Opens a regular file for reading.
 * @throws QuernError `source-not-found`, `source-not-a-file`, `source-not-readable`, `source-lfs-pointer`.
 */
export async function openFile(path: string): Promise<Source> {
  let handle: FileHandle;
  try {
    handle = await open(path, 'r');
  } catch (cause) {
    throw openError(path, cause);
  }
  const stat = await handle.stat();
  if (!stat.isFile()) {
    await handle.close();
    throw new QuernError('source-not-a-file', 'Not a regular file.', { file: path });
  }
  const size = stat.size;

  const readInto = async (target: Uint8Array, offset: number): Promise<void> => {
    checkRange(path, size, offset, target.length);
    for (let done = 0; done < target.length; ) {
      const wanted = Math.min(target.length - done, maxReadBytes);
      const { bytesRead } = await handle.read(target, done, wanted, offset + done).catch((cause) => {
        throw new QuernError('source-read-failed', `Cannot read: ${(cause as Error).message}.`, {
          file: path,
          offset: offset + done,
          cause,
        });
      });
      if (bytesRead === 0) {
        throw new QuernError('source-changed', `The file ended after ${done} of ${target.length} bytes.`, {
          file: path,
          offset,
          remedy: 'Something shortened the file while it was open: do not write to it, and try again.',
        });
      }
      done += bytesRead;
    }
  };

  return withoutLfsPointer({
    name: path,
    size,
    readInto,
    async read(offset, length) {
      checkRange(path, size, offset, length);
      const bytes = new Uint8Array(length);
      await readInto(bytes, offset);
      return bytes;
    },
    close: () => handle.close(),
  });
}

function openError(path: string, cause: unknown): QuernError {
  const code = (cause as NodeJS.ErrnoException).code;
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return new QuernError('source-not-found', 'No such file.', { file: path, cause });
  }
  return new QuernError('source-not-readable', `Cannot open: ${(cause as Error).message}.`, { file: path, cause });
}
