// An importance matrix into a file of either format.
import { writeWholeFile } from '@quern/source';
import { writeGgufImatrix } from './gguf-imatrix.ts';
import type { ImportanceMatrix } from './importance-matrix.ts';
import { encodeLegacyImatrix } from './legacy-imatrix.ts';
import type { ImatrixFile } from './open-imatrix.ts';

export type ImatrixFormat = ImatrixFile['format'];

/**
 * The bytes that llama-imatrix writes for the same content. The file has its name only when complete.
 * @throws QuernError `imatrix-bad-…` for entries that make no sense, `imatrix-chunk-size-unknown`, `imatrix-empty`, and
 *   those of `GgufWriter`
 */
export async function writeImatrix(
  path: string,
  matrix: ImportanceMatrix,
  format: ImatrixFormat = 'gguf',
): Promise<void> {
  if (format === 'gguf') return writeGgufImatrix(path, matrix);
  await writeWholeFile(path, encodeLegacyImatrix(matrix));
}
