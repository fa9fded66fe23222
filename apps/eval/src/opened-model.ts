// A model as the user named it, opened but not loaded.
import { fileBytesOf, locateCheckpoint, type ModelView, storedBytes } from '@quern/checkpoint';
import {
  type CacheTypes,
  type DeviceRequest,
  exactCache,
  hyperparameters,
  type LoadOverride,
  loadOnDevices,
  type ModelOnDevices,
  openModel,
} from '@quern/models';
import { perplexityLoadOptions } from '@quern/perplexity';
import { type CommandContext, downloadProgress, type ProgressMode } from '@quern/terminal';
import { type Tokenizer, tokenizerFromGguf } from '@quern/tokenizer';

export interface OpenedModel {
  /** As the user named it. */
  readonly name: string;
  readonly view: ModelView;
  readonly tokenizer: Tokenizer;
  /** Of windows; undefined for models that do not add BOS. */
  readonly bos?: number;
  readonly size: ModelSize;
}

export interface ModelSize {
  readonly parameters: number;
  readonly fileBytes: number;
  /** Of the tensors, and their bits per weight. */
  readonly dataBytes: number;
  readonly bitsPerWeight: number;
}

/** @param name a GGUF file, a checkpoint folder, or a hub id */
export async function openNamedModel(
  name: string,
  mode: ProgressMode,
  context: CommandContext,
  override?: LoadOverride,
): Promise<OpenedModel> {
  const download = downloadProgress(mode);
  const { path } = await locateCheckpoint(name, { ...context, ...download.watch });
  download.finish();
  const view = await openModel(path, { override });
  try {
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
    return { name, view, tokenizer, bos: tokenizer.addBos ? tokenizer.bos : undefined, size };
  } catch (error) {
    await view.close();
    throw error;
  }
}

/** Loads a model on devices of its own. A base is loaded with an exact cache, whatever is compared with it. */
export function startModel(
  { view }: OpenedModel,
  contextTokens: number,
  devices: DeviceRequest,
  cacheTypes: CacheTypes = exactCache,
): Promise<ModelOnDevices> {
  const { vocabSize } = hyperparameters(view);
  return loadOnDevices(view, devices, { ...perplexityLoadOptions(vocabSize, contextTokens), cacheTypes });
}
