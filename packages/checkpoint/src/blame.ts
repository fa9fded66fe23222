// The rooms of packed formats know names of tensors, not always the file they lie in: errors get it here.
import { QuernError } from '@quern/errors';

/** Runs `work`; a QuernError of it that names no file, or only `config.json`, is told with its path. */
export async function blaming<Result>(
  place: { file: string; config?: string; tensor?: string },
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof QuernError)) throw error;
    const file = error.file === 'config.json' ? place.config : (error.file ?? place.file);
    if (file === error.file) throw error;
    const { code, message, offset, remedy, cause } = error;
    throw new QuernError(code, message, { file, tensor: error.tensor ?? place.tensor, offset, remedy, cause });
  }
}
