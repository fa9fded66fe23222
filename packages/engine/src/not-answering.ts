// A thread that is gone, or gives no answer.
import { QuernError } from '@quern/errors';

export const crashed = (message: string, cause?: unknown): QuernError =>
  new QuernError('engine-crashed', message, { cause, remedy: 'Start the engine again.' });

export const noAnswer = (ms: number): QuernError =>
  new QuernError(
    'engine-not-answering',
    `The engine's thread has not answered for ${ms / 1000} seconds: it computes a long step, or hangs.`,
  );

/** After so much silence it has been ended. */
export const hangs = (ms: number): QuernError =>
  new QuernError('engine-hangs', `The engine's thread said nothing for ${ms / 1000} seconds, and has been ended.`, {
    remedy: 'Start the engine again; if single steps of this model take so long on this machine, allow it more time.',
  });
