// What is refused before a byte is written: an output that is also input, one that exists, a disk too small.
import { realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { QuernError } from '@quern/errors';
import { missingSpace, partialPathOf } from '@quern/source';

export interface PreflightOptions {
  /** Files that the input consists of. */
  inputs: Iterable<string>;
  /** Bytes of the file to be written. */
  size: number;
  /** Replace an existing file. */
  force?: boolean;
}

/**
 * @throws QuernError `output-folder-missing`, `refused-output-is-input`, `refused-output-exists`, `refused-disk-space` with the numbers
 */
export async function preflight(path: string, { inputs, size, force }: PreflightOptions): Promise<void> {
  if (!(await stat(dirname(path)).catch(() => undefined))?.isDirectory()) {
    throw new QuernError('output-folder-missing', 'The folder of the output file does not exist.', {
      file: path,
      remedy: 'Create it first.',
    });
  }
  const real = await realpath(path).catch(() => undefined);
  if (real !== undefined) {
    const there = await stat(real);
    for (const input of inputs) {
      const its = await stat(input).catch(() => undefined);
      if (its && its.ino === there.ino && its.dev === there.dev) {
        throw new QuernError('refused-output-is-input', 'The output file is the input file.', {
          file: path,
          remedy: 'Choose another output with -o.',
        });
      }
    }
    if (!force) {
      throw new QuernError('refused-output-exists', 'The output file exists.', {
        file: path,
        remedy: 'Add --force to replace it, or choose another output with -o.',
      });
    }
    if (!there.isFile()) {
      throw new QuernError('refused-output-exists', 'The output exists and is not a file.', { file: path });
    }
  }
  const missing = await missingSpace(path, size, partialPathOf(path));
  if (!missing) return;
  const { needed, free } = missing;
  throw new QuernError('refused-disk-space', `The output needs ${needed} more bytes; the disk has ${free} free.`, {
    file: path,
    remedy: 'Free some space, or choose another disk with -o.',
  });
}
