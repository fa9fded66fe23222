// What the lists of models of several APIs are made of: what can be asked for, loaded or not.
import type { ServerState } from '../endpoint.ts';
import type { OfferedModel } from './model-host.ts';
import { unknownModel } from './unknown-model.ts';

/** When it was made; of one that was not loaded yet and has no files here, 1970. Milliseconds since then. */
export const madeMs = ({ createdMs, model }: OfferedModel): number => createdMs ?? (model?.createdSeconds ?? 0) * 1000;

/** @throws ApiError 503 while there is nothing to tell of the only model */
export async function offeredModels({ models }: ServerState): Promise<readonly OfferedModel[]> {
  await models.refresh();
  const offered = models.offered();
  if (offered.length === 0) models.peek(undefined).release();
  return offered;
}

/** @throws ApiError 404 for a name that no model has, 503 as above */
export async function offeredModel(server: ServerState, id: string): Promise<OfferedModel> {
  const offered = await offeredModels(server);
  const found = offered.find((model) => model.id === id || model.aliases.includes(id));
  if (found) return found;
  throw unknownModel(
    id,
    offered.map((model) => model.id),
  );
}
