// The models in the cache of the hub, under the names that fetched them: `owner/repo`, `owner/repo:Q4_K_M`,
// `owner/repo/file.gguf`, with `@revision` where they are not of the main branch.
import { type CachedFile, type CachedRepository, type CachedSnapshot, cachedRepositories } from '@quern/source';
import { type LocalModel, modelsAmong } from './local-model.ts';

export interface CachedModel extends LocalModel {
  readonly repository: CachedRepository;
  readonly cached: readonly CachedFile[];
}

/** By name. */
export async function cachedModels(cacheDir: string): Promise<CachedModel[]> {
  const repositories = await cachedRepositories(cacheDir);
  const found = await Promise.all(repositories.map(modelsOf));
  return found.flat().sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The models of one repository, snapshot after snapshot. */
export async function modelsOf(repository: CachedRepository): Promise<CachedModel[]> {
  const found = await Promise.all(repository.snapshots.map((snapshot) => modelsIn(repository, snapshot)));
  return found.flat();
}

async function modelsIn(repository: CachedRepository, snapshot: CachedSnapshot): Promise<CachedModel[]> {
  const { revisions, commit, dir, files } = snapshot;
  const revision = revisions.includes('main') ? undefined : (revisions[0] ?? commit);
  const at = revision === undefined ? '' : `@${revision}`;
  const models = await modelsAmong(dir, files, ({ kind, path, quant }, isOnlyOne) => {
    if (kind === 'hf') return `${repository.repo}${at}`;
    return isOnlyOne ? `${repository.repo}${at}:${quant}` : `${repository.repo}${at}/${path}`;
  });
  return models.map((model) => ({
    ...model,
    repository,
    cached: files.filter(({ path }) => model.files.includes(path)),
  }));
}
