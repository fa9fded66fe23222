// A clone without git-lfs has, in place of each large file, a pointer of three lines. Whatever reads the file would call
// it damaged; so it is refused where files are opened, below every format.
// Source: git-lfs docs/spec.md (a pointer begins with `version`, and has less than 1024 bytes).
import { QuernError } from '@quern/errors';
import type { Source } from './source.ts';

const maxPointerBytes = 1024;
const begin = 'version https://git-lfs.github.com/spec/';

/** Whether the whole content of a file is a pointer. */
const isLfsPointer = (bytes: Uint8Array): boolean =>
  bytes.length >= begin.length &&
  bytes.length < maxPointerBytes &&
  new TextDecoder().decode(bytes.subarray(0, begin.length)) === begin;

/** @throws QuernError `source-lfs-pointer` */
export function refuseLfsPointer(bytes: Uint8Array, file: string): void {
  if (!isLfsPointer(bytes)) return;
  const size = /^size (\d{1,15})$/m.exec(new TextDecoder().decode(bytes))?.[1];
  const stands = size === undefined ? 'the real file' : `a file of ${Number(size).toLocaleString('en')} bytes`;
  throw new QuernError('source-lfs-pointer', `This is a Git LFS pointer of ${bytes.length} bytes, not ${stands}.`, {
    file,
    remedy: 'In the clone run `git lfs install` and `git lfs pull`, or download the file itself.',
  });
}

/** The source, unless it is a pointer: then it is closed. @throws QuernError `source-lfs-pointer` */
export async function withoutLfsPointer(source: Source): Promise<Source> {
  if (source.size >= maxPointerBytes) return source;
  try {
    refuseLfsPointer(await source.read(0, source.size), source.name);
    return source;
  } catch (error) {
    await source.close();
    throw error;
  }
}
