// A created model by what a person types for it. A path wins over a name of the same spelling, and the name over a hub id.
import { existsSync } from 'node:fs';
import { hubSettings } from '@quern/source';
import type { CreatedModel } from './created-model.ts';
import { CreatedModels } from './created-models.ts';

/** A created model and the files that are meant by it. */
export interface FoundCreated {
  readonly model: CreatedModel;
  /** What `locateCheckpoint` takes for its weights. */
  readonly weights: string;
  /** LoRA adapters, as files. */
  readonly adapters: readonly string[];
}

/** @throws QuernError `manifest-damaged` */
export async function createdNamed(reference: string): Promise<CreatedModel | undefined> {
  return existsSync(reference) ? undefined : (await createdHere()).find(reference.replace(/:latest$/, ''));
}

/** @throws QuernError `manifest-damaged`, `blob-missing` */
export async function findCreated(reference: string): Promise<FoundCreated | undefined> {
  const model = await createdNamed(reference);
  if (!model) return undefined;
  const models = await createdHere();
  const { weights, adapters } = model;
  return {
    model,
    weights: 'reference' in weights ? weights.reference : await models.pathOf(weights),
    adapters: await Promise.all(adapters.map(({ digest }) => models.fileOf(digest))),
  };
}

const createdHere = async (): Promise<CreatedModels> => new CreatedModels((await hubSettings({})).cacheDir);
