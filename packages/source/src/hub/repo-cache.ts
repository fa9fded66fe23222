// The cache folder of one model, laid out as huggingface_hub does, so that both use the same files:
//
//   models--OWNER--NAME/refs/<revision>                  the commit a branch or tag pointed to
//                       blobs/<sha256 or git sha1>       contents; `.incomplete` while being fetched
//                       snapshots/<commit>/<path>        a relative link to a blob
import { copyFile, mkdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { QuernError } from '@quern/errors';

const commitPattern = /^[0-9a-f]{40}$/;

export class RepoCache {
  readonly dir: string;

  /** @throws QuernError `hub-bad-repo` for anything but `name` or `owner/name` */
  constructor(cacheDir: string, repo: string) {
    if (!/^[\w.-]+(\/[\w.-]+)?$/.test(repo) || repo.split('/').some((part) => /^\.+$/.test(part))) {
      throw new QuernError('hub-bad-repo', `${JSON.stringify(repo)} is no hub id.`, {
        remedy: 'Write it as owner/name.',
      });
    }
    this.dir = join(cacheDir, `models--${repo.replace('/', '--')}`);
  }

  snapshotDir(commit: string): string {
    return join(this.dir, 'snapshots', commit);
  }

  blobPath(hash: string): string {
    return join(this.dir, 'blobs', hash);
  }

  /** The commit that `revision` stood for when it was last fetched. */
  async cachedCommit(revision: string): Promise<string | undefined> {
    if (isCommit(revision)) return revision;
    const text = await readFile(this.refPath(revision), 'utf8').catch(() => '');
    return isCommit(text.trim()) ? text.trim() : undefined;
  }

  async writeRef(revision: string, commit: string): Promise<void> {
    if (isCommit(revision)) return;
    await mkdir(dirname(this.refPath(revision)), { recursive: true });
    await writeFile(this.refPath(revision), commit);
  }

  private refPath(revision: string): string {
    return join(this.dir, 'refs', safePath(revision, 'revision'));
  }

  /** Puts a fetched blob under its name in the snapshot: a link, or a copy where links are not allowed (Windows). */
  async link(commit: string, path: string, blobPath: string): Promise<void> {
    const pointer = join(this.snapshotDir(commit), safePath(path, 'file name'));
    const present = await stat(pointer).catch(() => undefined);
    if (present && present.size === (await stat(blobPath)).size) return;
    await mkdir(dirname(pointer), { recursive: true });
    await rm(pointer, { force: true });
    await symlink(relative(dirname(pointer), blobPath), pointer).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return;
      await copyFile(blobPath, pointer);
    });
  }
}

export function isCommit(revision: string): boolean {
  return commitPattern.test(revision);
}

/** A name from the hub that will be joined to a local folder: it must stay inside, by the rules of any system. */
export function safePath(path: string, what: string): string {
  const parts = path.split('/');
  if (/[\\:\0]/.test(path) || parts.some((part) => part === '' || part === '.' || part === '..')) {
    throw new QuernError('hub-bad-path', `The ${what} ${JSON.stringify(path)} could leave the cache folder.`);
  }
  return path;
}
