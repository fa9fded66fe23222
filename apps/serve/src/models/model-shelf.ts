// Models that clients fetch, create, name and take away while the server runs, where it was told that they may (--allow-changes).
// Fetched ones lie in the cache of the hub, as those of `quern pull` do, and created ones beside it.
import {
  type CreatedModel,
  type CreatedModels,
  createdName,
  type LocateOptions,
  locateCheckpoint,
  type ModelView,
  modelsOf,
} from '@quern/checkpoint';
import { cachedRepositories, hubSettings, parseModelReference, removeCached } from '@quern/source';
import { ApiError } from '../api-error.ts';
import { createdSource } from '../created/created-source.ts';
import { baseOf } from '../created/created-sources.ts';
import { anyGone } from './gone-files.ts';
import type { ManyModels, ModelSource } from './many-models.ts';
import { requireContext } from './model-memory.ts';
import { unknownModel } from './unknown-model.ts';

export type PullWatch = Pick<LocateOptions, 'signal' | 'onProgress'>;

export interface ModelShelf {
  readonly created: CreatedModels;
  /**
   * Fetches a model of the hub, and offers it by that name.
   * @throws ApiError 400 `not_a_hub_name`, `name_taken`, QuernError those of `locateCheckpoint`
   */
  pull(name: string, watch: PullWatch): Promise<void>;
  /** Whether there is a model of that name. */
  has(name: string): boolean;
  /** It. @throws ApiError 404 `model_not_found` */
  find(name: string): ModelSource;
  /** What can be known before a model is made of `view`. @throws ApiError 400 `context_too_large` */
  check(model: CreatedModel, view: ModelView): void;
  /**
   * Keeps a created model, and offers it; one of its name that was created before goes.
   * @throws ApiError 400 `name_taken`, QuernError those of `CreatedModels.put`
   */
  create(model: CreatedModel): Promise<void>;
  /** A model under one more name. @throws ApiError 404 `model_not_found`, and those of `create` */
  copy(model: string, name: string): Promise<void>;
  /**
   * Deletes a created model, or one of the cache.
   * @throws ApiError 404 `model_not_found`, 409 `model_in_use`, `model_has_others`, 400 `model_not_in_cache`
   */
  remove(name: string): Promise<void>;
}

/** @param sourceNamed how a model of that name is loaded: as the server's flags say */
export function modelShelf(
  models: ManyModels,
  sourceNamed: (name: string) => ModelSource,
  created: CreatedModels,
): ModelShelf {
  const find = (name: string): ModelSource => {
    const source = models.source(name);
    if (source) return source;
    const known = models.offered().map(({ id }) => id);
    throw unknownModel(name, known);
  };
  /** Of a created model nobody else may take the name, and it takes nobody else's. */
  const requireFree = (name: string): void => {
    const there = models.source(name);
    if (there && !there.created)
      throw new ApiError(400, 'name_taken', `There is a model called "${name}" already, which was not created here.`, {
        param: 'model',
      });
  };
  const offeredNow = (): ModelSource[] => models.offered().flatMap(({ id }) => models.source(id) ?? []);
  const create = async (model: CreatedModel): Promise<void> => {
    const { name } = model;
    const offered = offeredNow();
    const source = createdSource(model, baseOf(model, created, offered, sourceNamed), created);
    await created.put(model, () => requireFree(name));
    // The same name in other letters is the same file.
    const others = offered.filter((other) => other.created && other.id.toLowerCase() === name.toLowerCase());
    for (const { id } of others) if (id !== name) models.forget(id);
    models.put(source);
  };
  return {
    created,
    has: (name) => models.source(name) !== undefined,
    find,
    check: (model, view) =>
      requireContext(model, view, baseOf(model, created, offeredNow(), sourceNamed), models.maxBytes),
    create,
    async pull(name, watch) {
      // A path of this machine is for its owner to offer.
      if (parseModelReference(name).kind !== 'hub') throw notOfTheHub(name);
      if (models.source(name)?.created)
        throw new ApiError(400, 'name_taken', `A model called "${name}" was created here: delete it first.`, {
          param: 'model',
        });
      const { path, files = [path] } = await locateCheckpoint(name, watch);
      if (!models.source(name)) models.put({ ...sourceNamed(name), isGone: () => anyGone(files) });
    },
    async copy(model, name) {
      const { created: made, id, reference } = find(model);
      const own = made ?? {
        ...{ from: id, weights: { reference }, adapters: [], parameters: {}, messages: [], license: [] },
      };
      await create({ ...own, name: createdName(name), createdMs: Date.now() });
    },
    async remove(name) {
      const there = models.source(name);
      if (there?.created) {
        models.forget(there.id);
        await created.remove(there.id);
        return;
      }
      const { cacheDir } = await hubSettings({});
      const cached = (await Promise.all((await cachedRepositories(cacheDir)).map(modelsOf))).flat();
      const found = cached.find((model) => model.name.toLowerCase() === name.toLowerCase());
      if (!found && models.offered().some(({ id }) => id === name)) {
        const message = `The model "${name}" lies outside the cache of the hub; delete it with the tools of the server’s system.`;
        throw new ApiError(400, 'model_not_in_cache', message, { param: 'model' });
      }
      if (found) await refuseWithOthers(created, find(name).reference, name);
      models.remove(name);
      if (found) await removeCached(found.repository, found.cached);
    },
  };
}

const notOfTheHub = (name: string): ApiError =>
  new ApiError(400, 'not_a_hub_name', `"${name}" is no model of the hub: write owner/repo or owner/repo:Q4_K_M.`, {
    param: 'model',
  });

/** @throws ApiError 409 `model_has_others`: its weights are theirs too */
async function refuseWithOthers(created: CreatedModels, reference: string, name: string): Promise<void> {
  const others = await created.madeFrom(reference);
  if (others.length === 0) return;
  const message = `Of "${name}" others were made that need it: ${others.slice(0, 5).join(', ')}. Delete these first.`;
  throw new ApiError(409, 'model_has_others', message, { param: 'model' });
}
