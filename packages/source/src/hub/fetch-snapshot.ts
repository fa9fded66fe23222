// A model from the Hugging Face hub, into the cache that huggingface_hub uses too. Listing goes through
// @huggingface/hub; fetching is ours (resume and hash, see download-blob.ts).
import { access } from 'node:fs/promises';
import { QuernError } from '@quern/errors';
import type { HttpOptions } from '../http-range.ts';
import { downloadBlob } from './download-blob.ts';
import { hubError, hubFetch } from './hub-fetch.ts';
import { isCommit, RepoCache, safePath } from './repo-cache.ts';
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

export interface SnapshotRequest extends HubOptions {
  /** `owner/name` */
  repo: string;
  /** Branch, tag or commit. Default `main`. */
  revision?: string;
  /** Which files are wanted, out of all. Default all. */
  files?: (name: string, all: readonly string[]) => boolean;
  onProgress?: (progress: SnapshotProgress) => void;
  signal?: AbortSignal;
  /** Told of files that stay behind when the run is stopped, for the next one to go on with. */
  onUnfinished?: (...paths: string[]) => void;
  /** Timeouts and retries. */
  http?: Omit<HttpOptions, 'signal' | 'headers'>;
}

interface RemoteFile {
  readonly path: string;
  readonly size: number;
  readonly hash: { kind: 'sha256' | 'git-sha1'; hex: string };
}

/**
 * Makes sure that a model's files are in the cache, and says where: `dir` holds them under their own names. Offline,
 * the snapshot that the revision last stood for is returned without asking the network.
 * @throws QuernError `hub-bad-repo`, `hub-bad-path`, `hub-unauthorized`, `hub-not-found`, `hub-no-files`, `hub-failed`,
 *   `hub-unreachable`, `hub-offline`, `hub-wrong-hash`, `http-*`, `disk-full`.
 */
export async function fetchSnapshot(request: SnapshotRequest): Promise<{ dir: string; commit: string }> {
  const { repo, revision = 'main', files = () => true, signal } = request;
  const settings = await hubSettings(request);
  const cache = new RepoCache(settings.cacheDir, repo);
  safePath(revision, 'revision');
  if (settings.offline) return cachedSnapshot(cache, repo, revision);

  const http: HttpOptions = { ...request.http, signal };
  try {
    const { commit, entries } = await listRemote(settings, http, repo, revision);
    const names = entries.map(({ path }) => path);
    const wanted = entries.filter(({ path }) => files(path, names));
    if (wanted.length === 0) {
      throw new QuernError('hub-no-files', `${repo} at ${commit} has none of the files that are needed.`);
    }
    await download(request, settings, http, cache, commit, wanted);
    // Written last, so that a revision never stands for a half-fetched snapshot.
    await cache.writeRef(revision, commit);
    return { dir: cache.snapshotDir(commit), commit };
  } catch (error) {
    throw hubError(error, repo, revision);
  }
}

async function cachedSnapshot(
  cache: RepoCache,
  repo: string,
  revision: string,
): Promise<{ dir: string; commit: string }> {
  const commit = await cache.cachedCommit(revision);
  const dir = commit && cache.snapshotDir(commit);
  const present =
    dir &&
    (await access(dir).then(
      () => true,
      () => false,
    ));
  if (commit && dir && present) return { dir, commit };
  throw new QuernError('hub-offline', `${repo} at revision ${revision} is not in the cache, and we are offline.`, {
    file: cache.dir,
    remedy: 'Fetch it once online (without HF_HUB_OFFLINE).',
  });
}

async function listRemote(
  settings: HubSettings,
  http: HttpOptions,
  repo: string,
  revision: string,
): Promise<{ commit: string; entries: RemoteFile[] }> {
  // Loaded when needed: it is large, and most commands never ask the hub.
  const { listFiles, modelInfo } = await import('@huggingface/hub');
  const hub = { hubUrl: settings.endpoint, fetch: hubFetch(settings, http) };
  const { sha: commit } = await modelInfo({ ...hub, name: repo, revision, additionalFields: ['sha'] });
  if (typeof commit !== 'string' || !isCommit(commit)) {
    throw new QuernError('hub-failed', `The hub names no commit for ${repo} at ${revision}.`);
  }
  const entries: RemoteFile[] = [];
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
    entries.push({ path, size: entry.lfs?.size ?? entry.size, hash });
  }
  return { commit, entries };
}

async function download(
  { repo, onProgress, onUnfinished }: SnapshotRequest,
  { endpoint, token }: HubSettings,
  http: HttpOptions,
  cache: RepoCache,
  commit: string,
  wanted: readonly RemoteFile[],
): Promise<void> {
  const totalBytes = wanted.reduce((sum, { size }) => sum + size, 0);
  // `fetch` drops this header when the hub redirects to another origin for the bytes.
  const headers = token ? { authorization: `Bearer ${token}` } : undefined;
  let finishedBytes = 0;
  for (const { path, size, hash } of wanted) {
    const url = `${endpoint}/${repo}/resolve/${commit}/${path.split('/').map(encodeURIComponent).join('/')}`;
    const blobPath = cache.blobPath(hash.hex);
    const onBytes = (received: number): void =>
      onProgress?.({
        file: path,
        fileReceivedBytes: received,
        fileBytes: size,
        receivedBytes: finishedBytes + received,
        totalBytes,
      });
    await downloadBlob({ url, blobPath, file: path, size, hash, onBytes, onUnfinished }, { ...http, headers });
    await cache.link(commit, path, blobPath);
    finishedBytes += size;
  }
}
