// A model as the user named it, opened but not loaded.
import { fileBytesOf, findCreated, locateCheckpoint, type ModelView, storedBytes } from '@quern/checkpoint';
import {
  type AdapterRequest,
  type CacheTypes,
  type DeviceRequest,
  exactCache,
  hyperparameters,
  type LoadOverride,
  loadOnDevices,
  type ModelOnDevices,
  openAdapters,
  openModel,
  type ScaledAdapter,
} from '@quern/models';
import { perplexityLoadOptions } from '@quern/perplexity';
import { type CommandContext, downloadProgress, type ProgressMode } from '@quern/terminal';
import { type Tokenizer, tokenizerFromGguf } from '@quern/tokenizer';

export interface OpenedModel {
  /** As the user named it, with its adapters. */
  readonly name: string;
  readonly view: ModelView;
  readonly adapters: readonly ScaledAdapter[];
  readonly tokenizer: Tokenizer;
  /** Of windows; undefined for models that do not add BOS. */
  readonly bos?: number;
  readonly size: ModelSize;
  close(): Promise<void>;
}

export interface ModelSize {
  readonly parameters: number;
  readonly fileBytes: number;
  /** Of the tensors, and their bits per weight. */
  readonly dataBytes: number;
  readonly bitsPerWeight: number;
}

/** A model under its adapters, for people and in states. */
export const nameWithAdapters = (name: string, adapters: readonly AdapterRequest[]): string =>
  [name, ...adapters.map(({ path, scale }) => (scale === 1 ? path : `${path}:${scale}`))].join(' + ');

export interface ModelSettings {
  readonly override?: LoadOverride;
  readonly adapters?: readonly AdapterRequest[];
}

/** @param name a GGUF file, a checkpoint folder, a created model (its adapters come first), or a hub id */
export async function openNamedModel(
  name: string,
  mode: ProgressMode,
  context: CommandContext,
  { override, adapters: wanted = [] }: ModelSettings,
): Promise<OpenedModel> {
  const download = downloadProgress(mode);
  const created = await findCreated(name);
  const { path } = await locateCheckpoint(created?.weights ?? name, { ...context, ...download.watch });
  download.finish();
  const view = await openModel(path, { override });
  const own = (created?.adapters ?? []).map((file) => ({ path: file, scale: 1 }));
  let closeAdapters = async (): Promise<void> => {};
  const closeAll = async (): Promise<void> => {
    await closeAdapters();
    await view.close();
  };
  try {
    const { adapters, close } = await openAdapters([...own, ...wanted], view);
    closeAdapters = close;
    const tokenizer = tokenizerFromGguf(view.metadata);
    const tensors = [...view.tensors.values()];
    const parameters = tensors.reduce((sum, tensor) => sum + tensor.rows * tensor.cols, 0);
    const dataBytes = tensors.reduce((sum, tensor) => sum + storedBytes(tensor), 0);
    const size = {
      parameters,
      fileBytes: await fileBytesOf(view),
      dataBytes,
      bitsPerWeight: (8 * dataBytes) / parameters,
    };
    const bos = tokenizer.addBos ? tokenizer.bos : undefined;
    return { name: nameWithAdapters(name, wanted), view, adapters, tokenizer, bos, size, close: closeAll };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

/** Loads a model on devices of its own. A base is loaded with an exact cache, whatever is compared with it. */
export function startModel(
  { view, adapters }: OpenedModel,
  contextTokens: number,
  devices: DeviceRequest,
  cacheTypes: CacheTypes = exactCache,
): Promise<ModelOnDevices> {
  const { vocabSize } = hyperparameters(view);
  return loadOnDevices(view, devices, { ...perplexityLoadOptions(vocabSize, contextTokens), cacheTypes, adapters });
}
