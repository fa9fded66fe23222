// What a model needs, seen from its header: before it is loaded, and before a model is created that could never be.
import type { CreatedModel, ModelView } from '@quern/checkpoint';
import { describeModel, openModel } from '@quern/models';
import { formatBytes } from '@quern/terminal';
import { ApiError } from '../api-error.ts';
import type { ModelSource } from './many-models.ts';

type Sizes = Pick<ModelSource, 'contextTokens' | 'cacheTokens' | 'override'>;

/** As the engine's, when it is not told. */
const usualContext = 4096;

/** Weights and cache. */
export async function neededBytes(path: string, { contextTokens, cacheTokens, override }: Sizes): Promise<number> {
  const view = await openModel(path, { override });
  try {
    const { dataBytes, kvBytesPerToken } = describeModel(view);
    return dataBytes + (cacheTokens ?? contextOf(view, contextTokens)) * kvBytesPerToken.f16;
  } finally {
    await view.close();
  }
}

/** More than it was trained for is as many as that. */
function contextOf(view: ModelView, contextTokens = usualContext): number {
  const { contextLength } = describeModel(view).hyperparameters;
  return Math.min(contextTokens || contextLength, contextLength);
}

/**
 * The context that a created model asks for, held to what its server has.
 * @param base how its weights are loaded here
 * @param maxBytes for loaded models together
 * @throws ApiError 400 of `parameters.num_ctx`, with both numbers
 */
export function requireContext({ parameters }: CreatedModel, view: ModelView, base: Sizes, maxBytes: number): void {
  const { num_ctx: asked } = parameters;
  if (typeof asked !== 'number') return;
  const context = contextOf(view, asked);
  const refuse = (what: string): never => {
    const message = `parameters.num_ctx: a context of ${context} tokens ${what}`;
    throw new ApiError(400, 'context_too_large', message, { param: 'parameters.num_ctx' });
  };
  const { cacheTokens } = base;
  if (cacheTokens !== undefined && context > cacheTokens)
    refuse(`is more than the cache of this server holds, ${cacheTokens} (--cache-tokens).`);
  const bytes = (cacheTokens ?? context) * describeModel(view).kvBytesPerToken.f16;
  if (bytes > maxBytes)
    refuse(`takes ${formatBytes(bytes)}; loaded models may have ${formatBytes(maxBytes)} together (--models-memory).`);
}
