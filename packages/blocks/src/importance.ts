// Importance of columns, as an importance matrix gives it: what a coder accepts.
import { QuernError } from '@quern/errors';
import type { Codec } from './codec.ts';
import type { DType } from './dtype.ts';

/**
 * Proves that `importance` fits rows of `cols` weights to be stored as `dtype`.
 * @throws QuernError `importance-missing`, `importance-size-mismatch`, `importance-not-a-weight`
 */
export function checkImportance(dtype: DType, codec: Codec, cols: number, importance?: Float32Array): void {
  if (!importance) {
    if (!codec.needsImportance) return;
    throw new QuernError('importance-missing', `${dtype.name} cannot be written without an importance matrix.`, {
      remedy: 'Give one, or choose another type.',
    });
  }
  if (importance.length !== cols) {
    throw new QuernError(
      'importance-size-mismatch',
      `The importance of ${importance.length} columns does not fit rows of ${cols} weights.`,
      { remedy: 'Use the importance matrix of this very model.' },
    );
  }
  const bad = importance.findIndex((weight) => !(weight >= 0 && weight < Number.POSITIVE_INFINITY));
  if (bad < 0) return;
  throw new QuernError('importance-not-a-weight', `The importance of column ${bad} is ${importance[bad]}.`, {
    remedy: 'Make the importance matrix again; its weights are finite and not negative.',
  });
}
