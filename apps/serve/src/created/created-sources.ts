// All created models of this machine as what a server may load.
import type { CreatedModel, CreatedModels } from '@quern/checkpoint';
import type { ModelSource } from '../models/many-models.ts';
import { createdSource } from './created-source.ts';

/** @param onFault told of those that cannot be used, which hide no others */
export async function createdSources(
  created: CreatedModels,
  offered: readonly ModelSource[],
  sourceNamed: (reference: string) => ModelSource,
  onFault: (fault: string) => void = () => {},
): Promise<ModelSource[]> {
  const { models, damaged } = await created.list();
  for (const { file, fault } of damaged) onFault(`${file}: ${fault}`);
  return models.flatMap((model) => {
    try {
      return [createdSource(model, baseOf(model, created, offered, sourceNamed), created)];
    } catch (error) {
      onFault((error as Error).message);
      return [];
    }
  });
}

/** The model that it was made from, if that is offered still; else its weights, loaded as the server's flags say. */
export function baseOf(
  { from, weights }: CreatedModel,
  created: CreatedModels,
  offered: readonly ModelSource[],
  sourceNamed: (reference: string) => ModelSource,
): ModelSource {
  const reference = created.placeOf(weights);
  const there = offered.find(({ id, reference: its, created }) => id === from && its === reference && !created);
  return there ?? sourceNamed(reference);
}
