// What went wrong while writing a file, by cause: the same for every writer.
import { QuernError } from '@quern/errors';

export interface WriteErrorOptions {
  /** The partial file stays, and the same command goes on with it. */
  resumable?: boolean;
}

const resume = ' Then run the same command again: it goes on where it stopped. Or delete the partial file.';

/**
 * @param size bytes the finished file needs
 * @param cause an error of the file system; a `QuernError` comes back as it is
 */
export function writeError(path: string, size: number, cause: unknown, options: WriteErrorOptions = {}): QuernError {
  if (cause instanceof QuernError) return cause;
  const { code, message } = cause as NodeJS.ErrnoException;
  const then = options.resumable ? resume : '';
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return diskFull(path, size, `and the disk is full (${code})`, cause, then);
    case 'EFBIG':
      return new QuernError('file-too-large', `The file needs ${size} bytes, more than a file may have here.`, {
        file: path,
        cause,
        remedy: `Raise the file size limit (ulimit -f), or choose another file system.${then}`,
      });
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new QuernError('write-denied', `No permission to write here (${code}).`, {
        file: path,
        cause,
        remedy: 'Choose another place for the output.',
      });
    default:
      return new QuernError('write-failed', `Cannot write: ${message}.`, {
        file: path,
        cause,
        ...(then && { remedy: `Look at the disk.${then}` }),
      });
  }
}

export function diskFull(path: string, size: number, why: string, cause?: unknown, then = ''): QuernError {
  return new QuernError('disk-full', `Not enough disk space: the file needs ${size} bytes, ${why}.`, {
    file: path,
    cause,
    remedy: `Free some space, or choose another place for the output.${then}`,
  });
}
