// A created model of several files (splits, a checkpoint) as the folder that readers of models expect: its files under their names, each
// a link to the one that was sent. Names come from strangers, and none of them leads out of the folder.
import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { link, mkdir, rename, rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { QuernError } from '@quern/errors';
import { writeError } from '@quern/source';
import type { CreatedFile } from './created-model.ts';

/** Real checkpoints have some dozens of files, the largest some hundreds. */
export const mostFiles = 1000;
/** Of a name: `1_Pooling/config.json` has two. */
const mostParts = 4;
const longestPart = 200;
/** Letters and digits of any language, as names of models have; no system reads anything else into these characters. */
const plainPart = /^(?!\.)[\p{L}\p{N}._+=@,() -]+(?<![. ])$/u;
/** Windows' devices. */
const devices = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i;

/** Whether a name stays in its folder, on every system. */
export const isPlainName = (name: string): boolean => {
  const parts = name.split('/');
  return (
    parts.length <= mostParts &&
    parts.every((part) => part.length <= longestPart && plainPart.test(part) && !devices.test(part))
  );
};

/** @throws QuernError `file-name-malformed`, `file-name-twice` */
export function requirePlainNames(files: readonly CreatedFile[]): void {
  const seen = new Map<string, string>();
  for (const { name } of files) {
    if (!isPlainName(name))
      throw new QuernError(
        'file-name-malformed',
        `${JSON.stringify(name.slice(0, longestPart))} is no name of a file in a folder.`,
        { remedy: 'Write it as it is in the folder of the model, such as model.safetensors or 1_Pooling/config.json.' },
      );
    // File systems may think that names which differ in case alone are one.
    const key = name.toLowerCase();
    const other =
      seen.get(key) ??
      [...seen].find(([known]) => `${key}/`.startsWith(`${known}/`) || known.startsWith(`${key}/`))?.[1];
    if (other !== undefined)
      throw new QuernError(
        'file-name-twice',
        `${JSON.stringify(name)} and ${JSON.stringify(other)} cannot be in one folder.`,
      );
    seen.set(key, name);
  }
}

/** The same for the same files in any order. */
export const folderName = (files: readonly CreatedFile[]): string =>
  createHash('sha256')
    .update(JSON.stringify(files.map(({ name, digest }) => [name, digest]).sort()))
    .digest('hex');

export const isFolderName = (name: string): boolean => /^[0-9a-f]{64}$/.test(name);

const unfinished = '.partial';

/** A name beside finished folders for one that is tried, or is not finished. */
export const unfinishedFolder = (folders: string): string => join(folders, `${randomUUID()}${unfinished}`);

/**
 * Makes a folder, which appears whole.
 * @param pathOf where a file lies
 * @throws QuernError `write-…`
 */
export async function linkFiles(
  dir: string,
  files: readonly CreatedFile[],
  pathOf: (digest: string) => string,
): Promise<void> {
  requirePlainNames(files);
  const partial = unfinishedFolder(dirname(dir));
  try {
    for (const { name, digest } of files) {
      const place = join(partial, name);
      await mkdir(dirname(place), { recursive: true });
      // Some file systems have one kind of link alone.
      await link(pathOf(digest), place).catch(() => symlink(pathOf(digest), place));
    }
    await rename(partial, dir).catch((error: unknown) => {
      // Unless somebody else has made the same meanwhile.
      if (!existsSync(dir)) throw error;
    });
  } catch (cause) {
    throw cause instanceof QuernError ? cause : writeError(dir, 0, cause);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

/** What opens the model in a folder: of splits the first one. */
export function modelIn(dir: string, files: readonly CreatedFile[]): string {
  const names = files.map(({ name }) => name).sort();
  return names.every((name) => /\.gguf$/i.test(name)) ? join(dir, names[0]!) : dir;
}
