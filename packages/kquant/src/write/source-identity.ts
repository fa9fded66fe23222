// Whether the input is still what it was: size and time of every file of it. Content is not hashed, which would cost
// as much as the work itself.
import { stat } from 'node:fs/promises';

/** One line per file; a file that cannot be asked (a remote one) stands with its name alone. */
export async function sourceIdentity(files: Iterable<string>): Promise<string> {
  const lines = [...new Set(files)].sort().map(async (file) => {
    const its = await stat(file).catch(() => undefined);
    return its ? `${file}\t${its.size}\t${its.mtimeMs}` : file;
  });
  return (await Promise.all(lines)).join('\n');
}
