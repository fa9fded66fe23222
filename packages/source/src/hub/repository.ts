// A model's repository on the Hugging Face hub: what it lists, its files by range, and its files in the cache that
// huggingface_hub uses too. Listing goes through @huggingface/hub; fetching is ours (resume and hash, see download-blob.ts).
import { readdir, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { QuernError } from '@quern/errors';
import { openFile } from '../file.ts';
import { httpSource } from '../http.ts';
import type { HttpOptions } from '../http-range.ts';
import type { Source } from '../source.ts';
import { downloadBlob } from './download-blob.ts';
import { hubError, hubFetch } from './hub-fetch.ts';
import { isCommit, RepoCache, safePath } from './repo-cache.ts';
import { requireRoom } from './require-room.ts';
import { type HubOptions, type HubSettings, hubSettings } from './settings.ts';

export interface SnapshotProgress {
  /** Name in the repository. */
  readonly file: string;
  readonly fileReceivedBytes: number;
  readonly fileBytes: number;
  /** Of all files together, those present before included. */
  readonly receivedBytes: number;
  readonly totalBytes: number;
}

/** Told while files are fetched. */
export interface FetchWatch {
  onProgress?: (progress: SnapshotProgress) => void;
  /** Told of files that stay behind when the run is stopped, for the next one to go on with. */
  onUnfinished?: (...paths: string[]) => void;
}

export interface RepositoryRequest extends HubOptions {
  /** `owner/name` */
  repo: string;
  /** Branch, tag or commit. Default `main`. */
  revision?: string;
  signal?: AbortSignal;
  /** Timeouts and retries. */
  http?: Omit<HttpOptions, 'signal' | 'headers'>;
}

/** A file as the hub lists it; `path` has slashes. */
export interface ListedFile {
  readonly path: string;
  /** Bytes. */
  readonly size: number;
}

export interface Repository {
  readonly repo: string;
  readonly commit: string;
  /** All that there is; offline, all that is in the cache. */
  readonly files: readonly ListedFile[];
  /** As the model card says it (`apache-2.0`). */
  readonly license?: string;
  /** Makes sure that files are in the cache, and says in which folder they lie under their own names. */
  fetch(paths: readonly string[], watch?: FetchWatch): Promise<string>;
  /** One file, read by range and not kept; from the cache when it is there. The caller closes it. */
  open(path: string): Promise<Source>;
}

interface RemoteFile extends ListedFile {
  readonly hash: { kind: 'sha256' | 'git-sha1'; hex: string };
}

/**
 * Offline, the repository is what the cache holds of the commit that the revision last stood for.
 * @throws QuernError `hub-bad-repo`, `hub-bad-path`, `hub-unauthorized`, `hub-not-found`, `hub-failed`,
 *   `hub-unreachable`, `hub-offline`; `fetch` and `open` also `hub-no-files`, `hub-wrong-hash`, `http-*`, `refused-disk-space`, `disk-full`
 */
export async function openRepository(request: RepositoryRequest): Promise<Repository> {
  const { repo, revision = 'main', signal } = request;
  const settings = await hubSettings(request);
  const cache = new RepoCache(settings.cacheDir, repo);
  safePath(revision, 'revision');
  if (settings.offline) return cachedRepository(cache, repo, revision);

  const http: HttpOptions = { ...request.http, signal };
  const told = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw hubError(error, repo, revision);
    }
  };
  const { commit, license, files } = await told(() => listRemote(settings, http, repo, revision));
  // `fetch` drops this header when the hub redirects to another origin for the bytes.
  const headers = settings.token ? { authorization: `Bearer ${settings.token}` } : undefined;
  const urlOf = (path: string): string =>
    `${settings.endpoint}/${repo}/resolve/${commit}/${path.split('/').map(encodeURIComponent).join('/')}`;
  const named = (path: string): RemoteFile => {
    const found = files.find((file) => file.path === path);
    if (found) return found;
    throw new QuernError('hub-no-files', `${repo} at ${commit} has no file ${path}.`, { file: `${repo}/${path}` });
  };

  return {
    repo,
    commit,
    files,
    ...(license !== undefined && { license }),
    fetch: (paths, { onProgress, onUnfinished } = {}) =>
      told(async () => {
        const wanted = paths.map(named);
        if (wanted.length === 0) {
          throw new QuernError('hub-no-files', `${repo} at ${commit} has none of the files that are needed.`);
        }
        const blobs = wanted.map(({ size, hash }) => ({ size, blobPath: cache.blobPath(hash.hex) }));
        await requireRoom(settings.cacheDir, blobs, `${repo} at ${commit.slice(0, 8)}`);
        const totalBytes = wanted.reduce((sum, { size }) => sum + size, 0);
        let finishedBytes = 0;
        for (const { path, size, hash } of wanted) {
          const onBytes = (received: number): void =>
            onProgress?.({
              file: path,
              fileReceivedBytes: received,
              fileBytes: size,
              receivedBytes: finishedBytes + received,
              totalBytes,
            });
          const blobPath = cache.blobPath(hash.hex);
          const blob = { url: urlOf(path), blobPath, file: path, size, hash, onBytes, onUnfinished };
          await downloadBlob(blob, { ...http, headers });
          await cache.link(commit, path, blobPath);
          finishedBytes += size;
        }
        // Written last, so that a revision never stands for a half-fetched snapshot.
        await cache.writeRef(revision, commit);
        return cache.snapshotDir(commit);
      }),
    open: (path) =>
      told(async () => {
        const { size, hash } = named(path);
        const blobPath = cache.blobPath(hash.hex);
        if ((await stat(blobPath).catch(() => undefined))?.size === size) return openFile(blobPath);
        return httpSource(urlOf(path), { ...http, headers, size });
      }),
  };
}

async function cachedRepository(cache: RepoCache, repo: string, revision: string): Promise<Repository> {
  const commit = await cache.cachedCommit(revision);
  const dir = commit && cache.snapshotDir(commit);
  const files = dir === undefined ? undefined : await filesIn(dir).catch(() => undefined);
  if (commit === undefined || dir === undefined || files === undefined) {
    throw new QuernError('hub-offline', `${repo} at revision ${revision} is not in the cache, and we are offline.`, {
      file: cache.dir,
      remedy: 'Fetch it once online (without HF_HUB_OFFLINE).',
    });
  }
  return {
    repo,
    commit,
    files,
    fetch: async () => dir,
    open: (path) => openFile(join(dir, safePath(path, 'file name'))),
  };
}

/** Snapshots hold links to files, which only `stat` tells from folders. */
async function filesIn(dir: string): Promise<ListedFile[]> {
  const names = await readdir(dir, { recursive: true });
  const found = await Promise.all(
    names.sort().map(async (name) => ({ name, is: await stat(join(dir, name)).catch(() => undefined) })),
  );
  return found.flatMap(({ name, is }) => (is?.isFile() ? [{ path: name.split(sep).join('/'), size: is.size }] : []));
}

async function listRemote(
  settings: HubSettings,
  http: HttpOptions,
  repo: string,
  revision: string,
): Promise<{ commit: string; license?: string; files: RemoteFile[] }> {
  // Loaded when needed: it is large, and most commands never ask the hub.
  const { listFiles, modelInfo } = await import('@huggingface/hub');
  const hub = { hubUrl: settings.endpoint, fetch: hubFetch(settings, http) };
  const info = await modelInfo({ ...hub, name: repo, revision, additionalFields: ['sha', 'tags'] });
  const { sha: commit } = info;
  if (typeof commit !== 'string' || !isCommit(commit)) {
    throw new QuernError('hub-failed', `The hub names no commit for ${repo} at ${revision}.`);
  }
  const files: RemoteFile[] = [];
  for await (const entry of listFiles({ ...hub, repo, revision: commit, recursive: true })) {
    if (entry.type !== 'file') continue;
    const path = safePath(entry.path, 'file name');
    const sha256 = entry.lfs?.oid.replace(/^sha256:/, '');
    const hash = sha256
      ? ({ kind: 'sha256', hex: sha256 } as const)
      : ({ kind: 'git-sha1', hex: entry.oid ?? '' } as const);
    if (!/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(hash.hex)) {
      throw new QuernError('hub-failed', `The hub gives no hash for ${path}.`, { file: path });
    }
    files.push({ path, size: entry.lfs?.size ?? entry.size, hash });
  }
  return { commit, files, license: licenseIn(info.tags) };
}

/** The hub repeats the licence of the model card as a tag. */
const licenseIn = (tags: unknown): string | undefined =>
  Array.isArray(tags)
    ? tags.find((tag): tag is string => typeof tag === 'string' && tag.startsWith('license:'))?.slice('license:'.length)
    : undefined;
