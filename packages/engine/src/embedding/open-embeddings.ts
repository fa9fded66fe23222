// From an open model to an engine that makes vectors of texts. A text is computed whole, so that its tokens may see each
// other: batches are as large as the longest text may be.
import type { ModelView } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import {
  type DeviceRequest,
  embeddingSizes,
  exactCache,
  hyperparameters,
  type LoadOptions,
  loadOnDevices,
  networkOf,
  pooledWidth,
  withPooling,
} from '@quern/models';
import { coreOf } from '../load-core.ts';
import type { OpenedCore } from '../open-core.ts';
import type { EngineOptions } from '../protocol.ts';
import { EmbeddingQueue } from './embedding-queue.ts';

/** Rows of activations are reserved for so many tokens at once, whatever the model was made for. */
const usualContextTokens = 8192;
/** Texts of one batch: short ones share it. */
const usualTextsTogether = 32;

/** @throws QuernError `context-too-long`, `engine-option-invalid`, `no-pooling`, and those of `loadOnDevices` */
export async function openEmbeddings(
  given: ModelView,
  options: EngineOptions,
  request: DeviceRequest,
  loading: Pick<LoadOptions, 'adapters' | 'onProgress'>,
): Promise<OpenedCore> {
  if (options.speculation)
    throw new QuernError('engine-option-invalid', 'A model that makes vectors of texts has no tokens to guess.');
  const asked = options.embeddings?.pooling;
  const view = asked === undefined ? given : withPooling(given, asked);
  const network = networkOf(view);
  const { pooling } = network;
  if (!pooling)
    throw new QuernError('no-pooling', 'The model does not say how a text becomes one vector.', {
      file: view.path,
      remedy: 'Say it: --pooling mean, cls or last.',
    });
  const { contextLength: trainedTokens } = hyperparameters(view);
  const contextTokens = options.contextTokens ?? Math.min(trainedTokens, usualContextTokens);
  if (contextTokens > trainedTokens)
    throw new QuernError(
      'context-too-long',
      `Texts of ${contextTokens} tokens were asked for; the model was made for ${trainedTokens}.`,
      { remedy: 'Ask for a shorter context.' },
    );
  const load = { ...embeddingSizes(contextTokens, Math.min(contextTokens, usualTextsTogether)), ...loading };
  const { model, devices, summary, dispose } = await loadOnDevices(view, request, load);
  const { batchTokens, maxSequences } = model;
  const sizes = {
    ...{ contextTokens, batchTokens, maxSequences, cacheTypes: exactCache },
    cacheTokens: model.blocks * model.blockTokens,
    cacheRamBytes: 0,
  };
  const { core, info } = coreOf(model, devices, sizes, summary, view);
  return {
    core,
    info: { ...info, embeddings: { pooling: pooling.type, width: pooledWidth(network), scores: pooling.scores } },
    embeddings: new EmbeddingQueue(model, contextTokens),
    dispose,
  };
}
