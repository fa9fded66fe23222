// Models that clients fetch, name and take away while the server runs, where it was told that they may (--allow-changes). Fetched
// ones lie in the cache of the hub, as those of `quern pull` do.
import { type LocateOptions, locateCheckpoint, modelsOf } from '@quern/checkpoint';
import { cachedRepositories, hubSettings, parseModelReference, removeCached } from '@quern/source';
import { ApiError } from '../api-error.ts';
import type { ManyModels, ModelSource } from './many-models.ts';

export interface ModelShelf {
  /**
   * Fetches a model of the hub, and offers it by that name.
   * @throws ApiError 400 `not_a_hub_name`, QuernError those of `locateCheckpoint`
   */
  pull(name: string, watch: Pick<LocateOptions, 'signal' | 'onProgress'>): Promise<void>;
  /** Calls a model by one more name. @throws ApiError 404 `model_not_found`, 400 `name_taken` */
  copy(model: string, name: string): void;
  /**
   * Forgets a further name, or deletes a model of the cache.
   * @throws ApiError 404 `model_not_found`, 409 `model_in_use`, 400 `model_not_in_cache`
   */
  remove(name: string): Promise<void>;
}

/** @param sourceOf how a model of that name is loaded: as the server's flags say */
export const modelShelf = (models: ManyModels, sourceOf: (name: string) => ModelSource): ModelShelf => ({
  async pull(name, watch) {
    // A path of this machine is for its owner to offer.
    if (parseModelReference(name).kind !== 'hub')
      throw new ApiError(
        400,
        'not_a_hub_name',
        `"${name}" is no model of the hub: write owner/repo or owner/repo:Q4_K_M.`,
        {
          param: 'model',
        },
      );
    await locateCheckpoint(name, watch);
    models.add(sourceOf(name));
  },
  copy: (model, name) => models.addName(name, model),
  async remove(name) {
    if (models.removeName(name)) return;
    const { cacheDir } = await hubSettings({});
    const cached = (await Promise.all((await cachedRepositories(cacheDir)).map(modelsOf))).flat();
    const found = cached.find((model) => model.name.toLowerCase() === name.toLowerCase());
    if (!found && models.offered().some(({ id }) => id === name)) {
      const message = `The model "${name}" lies outside the cache of the hub; delete it with the tools of the server’s system.`;
      throw new ApiError(400, 'model_not_in_cache', message, { param: 'model' });
    }
    models.remove(name);
    if (found) await removeCached(found.repository, found.cached);
  },
});
