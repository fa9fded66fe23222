// The disk's refusals as named errors. What was written stays in the partial file, so that the same command resumes.
import { QuernError } from '@quern/errors';

const resume = 'run the same command again: it goes on where it stopped. Or delete the partial file.';

const causes: Readonly<Record<string, readonly [code: string, message: string, remedy: string]>> = {
  ENOSPC: ['disk-full', 'The disk is full.', `Free some space and ${resume}`],
  EDQUOT: ['disk-full', 'The disk quota is used up.', `Free some space and ${resume}`],
  EFBIG: [
    'file-too-large',
    'The file is larger than the file system or a limit allows.',
    `Raise the limit (ulimit -f) and ${resume}`,
  ],
  EACCES: ['write-denied', 'No permission to write here.', 'Choose another output with -o.'],
  EROFS: ['write-denied', 'The file system is read-only.', 'Choose another output with -o.'],
};

/** Always throws: a `QuernError` naming `file` for an error of the file system, anything else as it is. */
export function throwWriteError(error: unknown, file: string): never {
  const system = (error as NodeJS.ErrnoException)?.code;
  if (error instanceof QuernError || system === undefined) throw error;
  const [code, message, remedy] = causes[system] ?? [
    'write-failed',
    `Writing failed (${system}).`,
    `Look at the disk, then ${resume}`,
  ];
  throw new QuernError(code, message, { file, remedy, cause: error });
}
