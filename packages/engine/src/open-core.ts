// From a path to an engine that can compute: device, model, cache, core.
import { QuernError } from '@quern/errors';
import { hyperparameters, loadModel, openModel } from '@quern/models';
import { CpuDevice, cpuDevice, type Device, referenceDevice } from '@quern/runtime';
import { EngineCore } from './core.ts';
import type { EngineInfo, EngineOptions } from './protocol.ts';

/** What a person gets who does not ask: enough for a conversation, and a cache that fits in a laptop. */
const DEFAULT_CONTEXT_TOKENS = 4096;
const DEFAULT_MAX_SEQUENCES = 4;
const DEFAULT_BATCH_TOKENS = 128;

export interface OpenedCore {
  readonly core: EngineCore;
  readonly info: EngineInfo;
  dispose(): Promise<void>;
}

/**
 * Loads the model and reserves its cache.
 * @throws QuernError `engine-option-invalid`, `context-too-long`, and those of `openModel` and `loadModel`
 */
export async function openCore(
  options: EngineOptions,
  onProgress?: (doneBytes: number, totalBytes: number) => void,
): Promise<OpenedCore> {
  const view = await openModel(options.modelPath);
  const device = await openDevice(options);
  try {
    const trained = hyperparameters(view).contextLength;
    const sizes = resolveSizes(options, trained);
    const { contextTokens, cacheTokens, maxSequences, batchTokens } = sizes;
    const model = await loadModel(view, device, {
      batchTokens,
      cells: cacheTokens,
      maxSequences,
      maxOutputs: maxSequences,
      onProgress,
    });
    return {
      core: new EngineCore(model, { contextTokens }),
      info: {
        hyperparameters: model.hyperparameters,
        device: device.name,
        threads: device.limits.threads,
        ...sizes,
        memory: model.memory,
        slowTypes: slowTypes(device),
      },
      async dispose() {
        model.dispose();
        await device.dispose();
      },
    };
  } catch (error) {
    await device.dispose();
    throw error;
  } finally {
    await view.close();
  }
}

/** Loading has multiplied once with every stored type; a CPU device counts those it has no kernel for. */
const slowTypes = (device: Device): string[] =>
  device instanceof CpuDevice ? [...device.fallbacks.keys()].map((opAndType) => opAndType.split(' ')[1]) : [];

function openDevice({ device = 'cpu', threads }: EngineOptions): Device | Promise<Device> {
  if (device === 'reference') return referenceDevice();
  if (device === 'cpu') return cpuDevice({ threads });
  throw new QuernError('engine-option-invalid', `Unknown device '${device}' (known: cpu, reference).`);
}

function resolveSizes(options: EngineOptions, trainedTokens: number) {
  const contextTokens = options.contextTokens ?? Math.min(trainedTokens, DEFAULT_CONTEXT_TOKENS);
  const maxSequences = options.maxSequences ?? DEFAULT_MAX_SEQUENCES;
  const sizes = {
    contextTokens,
    cacheTokens: options.cacheTokens ?? contextTokens,
    maxSequences,
    batchTokens: options.batchTokens ?? Math.max(DEFAULT_BATCH_TOKENS, maxSequences),
  };
  for (const [name, value] of Object.entries(sizes))
    if (!Number.isSafeInteger(value) || value < 1)
      throw new QuernError('engine-option-invalid', `${name} must be a positive integer, got ${value}.`);
  if (contextTokens > trainedTokens)
    throw new QuernError(
      'context-too-long',
      `A context of ${contextTokens} tokens was asked for; the model was made for ${trainedTokens}.`,
      { remedy: 'Ask for a shorter context.' },
    );
  return sizes;
}
