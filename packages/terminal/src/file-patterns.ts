// Names of files with `*` and `?`, as the documentation shows them, for shells that hand them over as they are (cmd and
// PowerShell on Windows; any shell, in quotes).
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { QuernError } from '@quern/errors';

/**
 * @param names files, patterns of files, and whatever else a command takes in their place (hub ids, URLs)
 * @returns the same, with the files that each pattern fits in its place, sorted as a shell does
 * @throws QuernError `no-file-fits` for a pattern without files
 */
export const expandFilePatterns = (names: readonly string[]): string[] => names.flatMap(filesOf);

function filesOf(name: string): string[] {
  // A file may really be called so.
  if (!/[*?]/.test(name) || /^[a-z]+:\/\//i.test(name) || existsSync(name)) return [name];
  // On Windows \ separates folders, elsewhere it may be part of a name.
  const [root, ...parts] = name.split(process.platform === 'win32' ? /[/\\]+/ : /\/+/) as [string, ...string[]];
  let found = /[*?]/.test(root) ? entriesOf('.', root) : [root === '' ? '/' : root];
  for (const part of parts) {
    found = found.flatMap((folder) => {
      const entries = /[*?]/.test(part) ? entriesOf(folder, part) : [part];
      return entries.map((entry) => join(folder, entry)).filter((path) => existsSync(path));
    });
  }
  if (found.length > 0) return found;
  throw new QuernError('no-file-fits', `No file fits the pattern ${name}.`, {
    remedy: 'Check the folder and the name; * stands for any characters, ? for one.',
  });
}

/** As in a shell, a leading dot has to be written. */
function entriesOf(folder: string, pattern: string): string[] {
  const fits = new RegExp(
    `^${pattern
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replace(/\*+/g, '.*')
      .replace(/\?/g, '.')}$`,
    process.platform === 'win32' ? 'iu' : 'u',
  );
  try {
    return readdirSync(folder)
      .filter((entry) => fits.test(entry) && (pattern.startsWith('.') || !entry.startsWith('.')))
      .sort();
  } catch {
    return [];
  }
}
