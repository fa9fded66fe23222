// What is thrown about config.json without knowing where it lies gets its place.
import { QuernError } from '@quern/errors';

export function blaming<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof QuernError) || error.file !== undefined) throw error;
    const { code, message, tensor, offset, remedy } = error;
    throw new QuernError(code, message, { file, tensor, offset, remedy, cause: error });
  }
}
