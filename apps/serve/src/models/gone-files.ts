// Whether a model that was found on the disk is still there.
import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { LocalModel } from '@quern/checkpoint';

/** Without these it is no model any more; what else lies in its folder may come and go. */
const essential = /\.(gguf|safetensors|bin|pth)$|(^|\/)(config|params)\.json$/i;

/** The files of a model that was found. */
export function essentialFiles({ kind, path, files }: LocalModel): string[] {
  // Of a GGUF model the path is that of its first file.
  const dir = kind === 'hf' ? path : path.endsWith(files[0]!) ? path.slice(0, -files[0]!.length) : dirname(path);
  return files.filter((file) => essential.test(file)).map((file) => join(dir, file));
}

/** Whether one of them is away. What cannot be looked at (no rights, too many open files) is not gone. */
export async function anyGone(files: readonly string[]): Promise<boolean> {
  for (const file of files) {
    const fault = await stat(file).then(
      () => undefined,
      (error: NodeJS.ErrnoException) => error.code,
    );
    if (fault === 'ENOENT' || fault === 'ENOTDIR') return true;
  }
  return false;
}
