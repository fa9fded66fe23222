// Small files that a person names on the command line (texts, lists of ids, reports), read whole.
import { readFile } from 'node:fs/promises';
import { QuernError } from '@quern/errors';
import { refuseLfsPointer } from './lfs-pointer.ts';

/**
 * @param what for the message: "The text cannot be read: …"
 * @param code of the error when it cannot be read
 * @throws QuernError `code` with the system's reason, `source-lfs-pointer`
 */
export async function readInputFile(file: string, what: string, code: string): Promise<Buffer> {
  const bytes = await readFile(file).catch((cause: Error) => {
    throw new QuernError(code, `The ${what} cannot be read: ${cause.message}.`, { file, cause });
  });
  refuseLfsPointer(bytes, file);
  return bytes;
}
