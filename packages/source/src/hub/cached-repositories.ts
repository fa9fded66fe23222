// What the cache of the hub holds, read from the disk alone, and deleting of it. The layout is huggingface_hub's
// (repo-cache.ts), which shares the folder: what other programs fetched is listed too.
import { readdir, readFile, readlink, rm, rmdir, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, sep } from 'node:path';
import type { ListedFile } from './repository.ts';

export interface CachedFile extends ListedFile {
  /** Where it lies under its own name. */
  readonly place: string;
  /** Milliseconds since 1970. */
  readonly modifiedMs: number;
}

export interface CachedSnapshot {
  readonly commit: string;
  /** Folder. */
  readonly dir: string;
  /** Branches and tags that stand for it. */
  readonly revisions: readonly string[];
  readonly files: readonly CachedFile[];
}

export interface CachedRepository {
  /** `owner/name` */
  readonly repo: string;
  /** Folder. */
  readonly dir: string;
  readonly snapshots: readonly CachedSnapshot[];
  /** Contents that were begun and not finished. */
  readonly unfinished: readonly ListedFile[];
}

/** By name; an absent cache is empty. */
export async function cachedRepositories(cacheDir: string): Promise<CachedRepository[]> {
  const names = (await namesIn(cacheDir)).filter((name) => name.startsWith('models--')).sort();
  return Promise.all(names.map((name) => readRepository(join(cacheDir, name))));
}

async function readRepository(dir: string): Promise<CachedRepository> {
  // Only the first pair of dashes stands for the slash: an owner's name has none.
  const repo = basename(dir).slice('models--'.length).replace('--', '/');
  const [commits, refs, blobs] = await Promise.all(
    ['snapshots', 'refs', 'blobs'].map((name) => namesIn(join(dir, name))),
  );
  const revisions = await Promise.all(
    (await filesBelow(join(dir, 'refs'), refs!)).map((ref) => readRevision(dir, ref)),
  );
  const snapshots = commits!.sort().map(async (commit) => {
    const place = join(dir, 'snapshots', commit);
    const files = await Promise.all((await namesIn(place, true)).sort().map((name) => readFileOf(place, name)));
    return {
      commit,
      dir: place,
      revisions: revisions.filter((revision) => revision.commit === commit).map(({ name }) => name),
      files: files.filter((file) => file !== undefined),
    };
  });
  const unfinished = blobs!
    .filter((name) => name.endsWith('.incomplete'))
    .map(async (name) => ({
      path: join(dir, 'blobs', name),
      size: (await statOf(join(dir, 'blobs', name)))?.size ?? 0,
    }));
  return { repo, dir, snapshots: await Promise.all(snapshots), unfinished: await Promise.all(unfinished) };
}

async function readRevision(dir: string, name: string): Promise<{ name: string; commit: string }> {
  const commit = await readFile(join(dir, 'refs', name), 'utf8').catch(() => '');
  return { name: name.split(sep).join('/'), commit: commit.trim() };
}

/** Links are followed; one whose blob is gone is no file. */
async function readFileOf(dir: string, name: string): Promise<CachedFile | undefined> {
  const place = join(dir, name);
  const found = await statOf(place);
  if (!found?.isFile()) return undefined;
  return { path: name.split(sep).join('/'), place, size: found.size, modifiedMs: found.mtimeMs };
}

/**
 * Deletes files of a snapshot: their names, the contents that no other name in the repository stands for, and what is then empty.
 * @returns bytes that became free
 */
export async function removeCached(repository: CachedRepository, files: readonly CachedFile[]): Promise<number> {
  const blobs = new Set<string>();
  let freed = 0;
  for (const { place, size } of files) {
    const target = await readlink(place).catch(() => undefined);
    if (target === undefined) freed += size;
    else blobs.add(join(dirname(place), target));
    await rm(place, { force: true });
  }
  const used = await linkedBlobs(repository.dir);
  for (const blob of blobs) {
    // A link may lead anywhere; what is not among the repository's own contents is not ours to delete.
    if (used.has(blob) || dirname(blob) !== join(repository.dir, 'blobs')) continue;
    freed += (await statOf(blob))?.size ?? 0;
    await rm(blob, { force: true });
  }
  if (!(await removeEmpty(join(repository.dir, 'snapshots')))) return freed;
  // No file of any snapshot is left: what else is in the folder is of no use.
  for (const { size } of repository.unfinished) freed += size;
  await rm(repository.dir, { recursive: true, force: true });
  return freed;
}

async function linkedBlobs(dir: string): Promise<Set<string>> {
  const snapshots = join(dir, 'snapshots');
  const targets = (await namesIn(snapshots, true)).map(async (name) => {
    const place = join(snapshots, name);
    const target = await readlink(place).catch(() => undefined);
    return target === undefined ? [] : [join(dirname(place), target)];
  });
  return new Set((await Promise.all(targets)).flat());
}

/** Removes empty folders, from the innermost. @returns whether the folder itself went */
async function removeEmpty(dir: string): Promise<boolean> {
  for (const name of await namesIn(dir)) {
    const inner = join(dir, name);
    if ((await statOf(inner))?.isDirectory()) await removeEmpty(inner);
  }
  return rmdir(dir).then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code === 'ENOENT',
  );
}

const namesIn = (dir: string, recursive = false): Promise<string[]> => readdir(dir, { recursive }).catch(() => []);

/** Branches may have slashes. */
async function filesBelow(dir: string, names: readonly string[]): Promise<string[]> {
  const found = await Promise.all(
    names.map(async (name) => {
      const within = await namesIn(join(dir, name), true);
      return within.length === 0 ? [name] : within.map((inner) => relative(dir, join(dir, name, inner)));
    }),
  );
  return found.flat();
}

const statOf = (path: string) => stat(path).catch(() => undefined);
