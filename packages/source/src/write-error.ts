// What went wrong while writing a file, by cause: the same for every writer.
import { QuernError } from '@quern/errors';

/** @param size bytes the finished file needs */
export function writeError(path: string, size: number, cause: unknown): QuernError {
  const { code, message } = cause as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT') return diskFull(path, size, `and the disk is full (${code})`, cause);
  if (code === 'EFBIG') {
    return new QuernError('file-too-large', `The file needs ${size} bytes, more than a file may have here.`, {
      file: path,
      cause,
      remedy: 'Raise the file size limit (ulimit -f), or choose another file system.',
    });
  }
  return new QuernError('write-failed', `Cannot write: ${message}.`, { file: path, cause });
}

export function diskFull(path: string, size: number, why: string, cause?: unknown): QuernError {
  return new QuernError('disk-full', `Not enough disk space: the file needs ${size} bytes, ${why}.`, {
    file: path,
    cause,
    remedy: 'Free some space, or choose another place for the output.',
  });
}
