// From what a person types to the place that it names: a file or folder here, a repository on the hub, or an address of
// another server. Nothing is fetched.
import { stat } from 'node:fs/promises';
import { QuernError } from '@quern/errors';
import {
  type HubReference,
  hubSettings,
  openRepository,
  parseModelReference,
  type Repository,
  type RepositoryRequest,
} from '@quern/source';
import { CreatedModels } from './created/created-models.ts';

export interface PlaceOptions extends Pick<RepositoryRequest, 'cacheDir' | 'endpoint' | 'offline' | 'token'> {
  /** Branch, tag or commit on the hub; `@revision` in the reference says the same. */
  revision?: string;
  signal?: AbortSignal;
}

export type ModelPlace =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'folder'; readonly path: string }
  | { readonly kind: 'hub'; readonly reference: HubReference; readonly repository: Repository }
  | { readonly kind: 'url'; readonly url: string };

/**
 * A path wins over a hub id of the same spelling.
 * @throws QuernError `checkpoint-not-found`, `checkpoint-created`, and those of `parseModelReference` and `openRepository`
 */
export async function findPlace(ref: string, options: PlaceOptions = {}): Promise<ModelPlace> {
  const here = await pathHere(ref);
  if (here) return here;
  const { endpoint, cacheDir: cache } = await hubSettings(options);
  const reference = parseModelReference(ref, endpoint);
  if (reference.kind === 'url') return reference;
  if (reference.kind === 'path') {
    const path = reference.path === ref ? undefined : await pathHere(reference.path);
    if (path) return path;
    await refuseCreated(ref, cache);
    throw new QuernError('checkpoint-not-found', 'There is no such file or folder.', { file: ref });
  }
  const { repo, revision = options.revision } = reference;
  const { cacheDir, offline, token, signal } = options;
  const request = { repo, revision, cacheDir, endpoint, offline, token, signal };
  const repository = await openRepository(request).catch(async (error: unknown) => {
    await refuseCreated(ref, cache);
    throw reference.bare ? alsoNotHere(ref, reference, error) : error;
  });
  return { kind: 'hub', reference, repository };
}

/** Whoever takes created models has asked for them before: to others its weights alone would be something else. */
async function refuseCreated(ref: string, cacheDir: string): Promise<void> {
  const found = await new CreatedModels(cacheDir).find(ref.replace(/:latest$/, '')).catch(() => undefined);
  if (!found) return;
  const base = found.from === undefined ? '' : ` Here give what it was made from: ${found.from}.`;
  throw new QuernError('checkpoint-created', `The model ${JSON.stringify(found.name)} was created of another one.`, {
    remedy: `quern run ${found.name} and quern serve ${found.name} answer as it.${base}`,
  });
}

async function pathHere(path: string): Promise<ModelPlace | undefined> {
  const found = await stat(path).catch(() => undefined);
  return found && { kind: found.isDirectory() ? 'folder' : 'file', path };
}

/** A mistyped path looks like a hub id: whoever typed one wants to hear of the other. */
function alsoNotHere(ref: string, { path }: HubReference, error: unknown): unknown {
  if (!(error instanceof QuernError) || error.code === 'interrupted') return error;
  const isNowhere = path !== undefined || error.code === 'hub-not-found';
  return new QuernError(isNowhere ? 'checkpoint-not-found' : error.code, 'There is no such file or folder.', {
    file: ref,
    remedy: `As a hub id: ${error.describe()}`,
    cause: error,
  });
}
