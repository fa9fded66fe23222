// From an open model to an engine that can compute: sizes, weights, cache, core. Runs anywhere.
import type { ModelView } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import { exactCache, hyperparameters, type LoadOptions, loadModel, type Model } from '@quern/models';
import { CpuDevice, type Device } from '@quern/runtime';
import { EngineCore } from './core.ts';
import { Grammars } from './grammars.ts';
import type { EngineInfo, EngineSizes } from './protocol.ts';
import type { Drafter } from './speculation/drafter.ts';
import { draftRows, resolveSpeculation, type SpeculationOptions } from './speculation/options.ts';

/** What a person gets who does not ask: enough for a conversation, and a cache that fits in a laptop. */
const DEFAULT_CONTEXT_TOKENS = 4096;
const DEFAULT_MAX_SEQUENCES = 4;
const DEFAULT_BATCH_TOKENS = 128;
const DEFAULT_CACHE_RAM_BYTES = 512 * 2 ** 20;

export interface LoadedCore {
  readonly core: EngineCore;
  readonly info: EngineInfo;
  /** Frees the model's device memory; the device stays usable. */
  dispose(): void;
}

/**
 * Loads the model on one device and reserves its cache. `view` may be closed afterwards; `device` stays the caller's to
 * dispose.
 * @throws QuernError `engine-option-invalid`, `context-too-long`, and those of `loadModel`
 */
export async function loadCore(
  view: ModelView,
  device: Device,
  options: EngineSizes,
  onProgress?: (doneBytes: number, totalBytes: number) => void,
): Promise<LoadedCore> {
  const sizes = resolveSizes(view, options);
  const model = await loadModel(view, device, { ...loadSizes(sizes), onProgress });
  return { ...coreOf(model, [device], sizes, device.name, view), dispose: () => model.dispose() };
}

/** @param summary where the model is, for people */
export function coreOf(
  model: Model,
  devices: readonly Device[],
  sizes: Required<EngineSizes>,
  summary: string,
  { metadata }: Pick<ModelView, 'metadata'>,
  drafter?: Drafter,
): Pick<LoadedCore, 'core' | 'info'> {
  return {
    core: new EngineCore(model, { ...sizes, grammars: new Grammars(metadata), ...(drafter && { drafter }) }),
    info: {
      hyperparameters: model.hyperparameters,
      device: [...new Set(model.placement.devices.map(({ device }) => device))].join(' + '),
      summary,
      placement: model.placement,
      threads: Math.max(...devices.map(({ limits }) => limits.threads)),
      ...sizes,
      memory: model.memory,
      slowTypes: [...new Set(devices.flatMap(slowTypes))],
    },
  };
}

/** Loading has multiplied once with every stored type; a CPU device counts those it has no kernel for. */
const slowTypes = (device: Device): string[] =>
  device instanceof CpuDevice ? [...device.fallbacks.keys()].map((opAndType) => opAndType.split(' ')[1]) : [];

/** @param speculation rows of logits for guesses are counted too, and the model's draft blocks if they guess */
export function loadSizes(sizes: Required<EngineSizes>, speculation?: SpeculationOptions): LoadOptions {
  const { contextTokens, cacheTokens, cacheTypes, maxSequences, batchTokens } = sizes;
  const guesses = speculation && resolveSpeculation(speculation);
  return {
    ...{ batchTokens, cacheTypes, maxSequences },
    cells: cacheTokens,
    sequenceCells: contextTokens,
    maxOutputs: maxSequences + (guesses ? draftRows(guesses, maxSequences) : 0),
    draft: guesses?.types.includes('draft-mtp') ?? false,
  };
}

/** @throws QuernError `engine-option-invalid`, `context-too-long`, and those of `hyperparameters` */
export function resolveSizes(view: ModelView, options: EngineSizes): Required<EngineSizes> {
  const { contextLength: trainedTokens } = hyperparameters(view);
  const contextTokens = options.contextTokens ?? Math.min(trainedTokens, DEFAULT_CONTEXT_TOKENS);
  const maxSequences = options.maxSequences ?? DEFAULT_MAX_SEQUENCES;
  const sizes = {
    contextTokens,
    cacheTokens: options.cacheTokens ?? contextTokens,
    maxSequences,
    batchTokens: options.batchTokens ?? Math.max(DEFAULT_BATCH_TOKENS, maxSequences),
  };
  const cacheRamBytes = options.cacheRamBytes ?? DEFAULT_CACHE_RAM_BYTES;
  if (!Number.isSafeInteger(cacheRamBytes) || cacheRamBytes < 0)
    throw new QuernError('engine-option-invalid', `cacheRamBytes must be an integer from 0 on, got ${cacheRamBytes}.`);
  for (const [name, value] of Object.entries(sizes))
    if (!Number.isSafeInteger(value) || value < 1)
      throw new QuernError('engine-option-invalid', `${name} must be a positive integer, got ${value}.`);
  if (contextTokens > trainedTokens)
    throw new QuernError(
      'context-too-long',
      `A context of ${contextTokens} tokens was asked for; the model was made for ${trainedTokens}.`,
      { remedy: 'Ask for a shorter context.' },
    );
  return { ...sizes, cacheRamBytes, cacheTypes: options.cacheTypes ?? exactCache };
}
