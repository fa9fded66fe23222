// The place of a file that is still to be made, looked at before the work for it begins: hours of computing must not end in
// "no such folder". Every command and every writer asks here.
import type { Stats } from 'node:fs';
import { access, constants, open, realpath, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { QuernError } from '@quern/errors';
import { partialPathOf } from './file-sink.ts';
import { missingSpace } from './free-space.ts';
import { writeError } from './write-error.ts';

/**
 * The file that `-o` means: the one it names; in a folder (`out/`, or one that exists) the usual name; without it the usual
 * path.
 * @param flag what the user typed, for messages
 * @throws QuernError `usage-output` when it names no file
 */
export async function outputFile(given: string | undefined, usual: string, flag = '-o'): Promise<string> {
  if (given === undefined) return usual;
  requireName(given, flag);
  const isFolder = endsInSeparator(given) || (await statOf(given))?.isDirectory();
  return isFolder ? join(given, basename(usual)) : given;
}

/**
 * The folder that `-o` means: always the one it names, be it there or not.
 * @throws QuernError `usage-output` when it names none that could be made
 */
export function outputFolder(given: string | undefined, usual: string, flag = '-o'): string {
  if (given === undefined) return usual;
  requireName(given, flag);
  const folder = given.replace(sep === '\\' ? /[/\\]+$/ : /\/+$/, '');
  const here = process.cwd();
  const real = resolve(given);
  if (folder !== '' && real !== here && !here.startsWith(real + sep)) return folder;
  // It gets its name when it is complete, and takes the place of what is there.
  throw new QuernError('usage-output', `The output is a new folder, and ${flag} names the one that we are in.`, {
    file: given,
    remedy: `Give it a name of its own: ${flag} ${join(given, usual)}.`,
  });
}

function requireName(given: string, flag: string): void {
  if (given === '')
    throw new QuernError('usage-output', `${flag} is empty.`, { remedy: 'Give a name, or leave it out.' });
  if (given !== '-') return;
  throw new QuernError('usage-output', 'The output cannot be a pipe: it is written in any order, then renamed.', {
    remedy: `Give a file name to ${flag} (./- for a file that is called so).`,
  });
}

export interface OutputPlace {
  /** Files that the work reads. */
  readonly inputs?: Iterable<string>;
  /** Bytes of the file, where they are known. */
  readonly size?: number;
  /** Replace an existing file. */
  readonly force?: boolean;
  /** What the user typed, for messages. Default `-o`. */
  readonly flag?: string;
}

/**
 * Whether a file can be made at `path`.
 * @throws QuernError `output-folder-missing`, `refused-output-is-input`, `refused-output-exists`, `refused-disk-space` with
 *   the numbers, `write-denied`, `write-failed`
 */
export async function requireOutputFile(path: string, place: OutputPlace = {}): Promise<void> {
  const { inputs = [], size, force = false, flag = '-o' } = place;
  await requireFolderAbove(path);
  const there = await statOf(path);
  if (there) {
    await refuseInput(path, there, inputs, flag);
    if (!there.isFile())
      throw new QuernError('refused-output-exists', `The output exists and is ${kindOf(there)}.`, {
        file: path,
        remedy: `Give another name to ${flag}.`,
      });
    if (!force)
      throw new QuernError('refused-output-exists', 'The output file exists.', {
        file: path,
        remedy: `Add --force to replace it, or choose another output with ${flag}.`,
      });
  }
  await requireWritable(path);
  const missing = size === undefined ? undefined : await missingSpace(path, size, partialPathOf(path));
  if (!missing) return;
  const { needed, free } = missing;
  throw new QuernError('refused-disk-space', `The output needs ${needed} more bytes; the disk has ${free} free.`, {
    file: path,
    remedy: `Free some space, or choose another disk with ${flag}.`,
  });
}

/**
 * Whether a file that keeps what is measured can be begun, or gone on with, at `path`.
 * @throws QuernError `output-folder-missing`, `refused-output-is-input`, `refused-output-exists`, `write-denied`, `write-failed`
 */
export async function requireStateFile(
  path: string,
  { inputs, flag = '--state' }: Pick<OutputPlace, 'inputs' | 'flag'> = {},
): Promise<void> {
  if (!(await statOf(path))?.isFile()) return requireOutputFile(path, { inputs, flag });
  await requireOutputFile(path, { inputs, flag, force: true });
  await access(path, constants.W_OK).catch((cause) => {
    throw writeError(path, 0, cause);
  });
}

/** @throws QuernError `output-folder-missing` */
export async function requireFolderAbove(path: string): Promise<void> {
  const folder = dirname(path);
  if ((await statOf(folder))?.isDirectory()) return;
  throw new QuernError('output-folder-missing', 'The folder of the output does not exist.', {
    file: path,
    remedy: `Create ${folder} first.`,
  });
}

/**
 * Outputs of one command are different files.
 * @param outputs by the flag that names them
 * @throws QuernError `usage-output`
 */
export function requireDistinctOutputs(outputs: Readonly<Record<string, string | undefined>>): void {
  const flags = new Map<string, string>();
  for (const [flag, path] of Object.entries(outputs)) {
    if (path === undefined) continue;
    const other = flags.get(resolve(path));
    if (other !== undefined)
      throw new QuernError('usage-output', `${other} and ${flag} name the same file.`, { file: path });
    flags.set(resolve(path), flag);
  }
}

async function refuseInput(path: string, there: Stats, inputs: Iterable<string>, flag: string): Promise<void> {
  for (const input of inputs) {
    const its = await statOf(input);
    const isSame = its && its.ino === there.ino && its.dev === there.dev;
    // Windows file systems may have no inode numbers.
    if (!isSame || (there.ino === 0 && (await realpath(input)) !== (await realpath(path)))) continue;
    throw new QuernError('refused-output-is-input', 'The output file is an input file.', {
      file: path,
      remedy: `Choose another output with ${flag}.`,
    });
  }
}

/**
 * Permissions, read-only disks, names that are too long: a file that is made and removed tells them all.
 * @throws QuernError `output-folder-missing`, `write-denied`, `write-failed`, `disk-full`
 */
export async function requireWritable(path: string): Promise<void> {
  await requireFolderAbove(path);
  const probe = `${partialPathOf(path)}.${process.pid}`;
  try {
    await (await open(probe, 'wx')).close();
  } catch (cause) {
    throw writeError(path, 0, cause);
  }
  await rm(probe, { force: true });
}

const statOf = (path: string): Promise<Stats | undefined> => stat(path).catch(() => undefined);

const kindOf = (there: Stats): string => (there.isDirectory() ? 'a folder' : 'no file');

const endsInSeparator = (path: string): boolean => path.endsWith('/') || (sep === '\\' && path.endsWith('\\'));
