// A thread that is gone.
import { QuernError } from '@quern/errors';

export const crashed = (message: string, cause?: unknown): QuernError =>
  new QuernError('engine-crashed', message, { cause, remedy: 'Start the engine again.' });
