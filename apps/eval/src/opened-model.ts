// A model as the user named it, opened but not loaded.
import { locateCheckpoint, type ModelView } from '@quern/checkpoint';
import { hyperparameters, loadModel, type Model, openModel } from '@quern/models';
import { perplexityLoadOptions } from '@quern/perplexity';
import { cpuDevice } from '@quern/runtime';
import { downloadProgress, type ProgressMode } from '@quern/terminal';
import { type Tokenizer, tokenizerFromGguf } from '@quern/tokenizer';

export interface OpenedModel {
  /** As the user named it. */
  readonly name: string;
  readonly view: ModelView;
  readonly tokenizer: Tokenizer;
  /** Of windows; undefined for models that do not add BOS. */
  readonly bos?: number;
  readonly size: { readonly parameters: number; readonly sizeBytes: number; readonly bitsPerWeight: number };
}

/** @param name a GGUF file, a checkpoint folder, or a hub id */
export async function openNamedModel(name: string, mode: ProgressMode, signal: AbortSignal): Promise<OpenedModel> {
  const download = downloadProgress(mode);
  const { path } = await locateCheckpoint(name, { signal, onProgress: download.onProgress });
  download.finish();
  const view = await openModel(path);
  try {
    const tokenizer = tokenizerFromGguf(view.metadata);
    const tensors = [...view.tensors.values()];
    const parameters = tensors.reduce((sum, tensor) => sum + tensor.rows * tensor.cols, 0);
    const sizeBytes = tensors.reduce((sum, tensor) => sum + tensor.rows * tensor.rowBytes, 0);
    const size = { parameters, sizeBytes, bitsPerWeight: (8 * sizeBytes) / parameters };
    return { name, view, tokenizer, bos: tokenizer.addBos ? tokenizer.bos : undefined, size };
  } catch (error) {
    await view.close();
    throw error;
  }
}

export interface RunningModel {
  readonly model: Model;
  dispose(): Promise<void>;
}

/** Loads a model on a device of its own. */
export async function startModel(
  { view }: OpenedModel,
  contextTokens: number,
  threads: number | undefined,
): Promise<RunningModel> {
  const device = await cpuDevice({ threads });
  try {
    const { vocabSize } = hyperparameters(view);
    const model = await loadModel(view, device, perplexityLoadOptions(vocabSize, contextTokens));
    return { model, dispose: () => device.dispose() };
  } catch (error) {
    await device.dispose();
    throw error;
  }
}
