// Whether the input is still what it was: size and time of every file of it. Content is not hashed, which would cost
// as much as the work itself.
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';

/** One line per file; a file that cannot be asked (a remote one) stands with its name alone. */
export async function sourceIdentity(files: Iterable<string>): Promise<string> {
  const lines = [...new Set(files)].sort().map(async (file) => {
    const its = await stat(file).catch(() => undefined);
    return its ? `${file}\t${its.size}\t${its.mtimeMs}` : file;
  });
  return (await Promise.all(lines)).join('\n');
}

/** Name and size: what copies of the input on several machines have in common. */
export async function sourceSizes(files: Iterable<string>): Promise<[name: string, size: number | undefined][]> {
  const sizes = [...new Set(files)].map(
    async (file): Promise<[string, number | undefined]> => [
      basename(file),
      (await stat(file).catch(() => undefined))?.size,
    ],
  );
  return (await Promise.all(sizes)).sort(([a], [b]) => (a < b ? -1 : 1));
}
