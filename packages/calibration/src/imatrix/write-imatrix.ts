// An importance matrix into a file of either format.
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { QuernError } from '@quern/errors';
import { createFileSink } from '@quern/source';
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
  const bytes = encodeLegacyImatrix(matrix);
  const sink = await createFileSink(path, bytes.length);
  try {
    await sink.write(bytes, 0);
    await sink.finish();
  } catch (error) {
    await sink.abort();
    throw error;
  }
}

/**
 * Before hours of work: can the result be written at all?
 * @throws QuernError `refused-output-exists`, `write-failed`
 */
export async function requireWritable(path: string, { force = false }: { force?: boolean } = {}): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory()) throw new QuernError('write-failed', 'A folder has this name.', { file: path });
  if (found && !force)
    throw new QuernError('refused-output-exists', 'The output file exists already.', {
      file: path,
      remedy: 'Choose another --output, or replace it with --force.',
    });
  const folder = dirname(path);
  if (!(await stat(folder).catch(() => undefined))?.isDirectory())
    throw new QuernError('write-failed', 'There is no such folder to write to.', { file: folder });
}
