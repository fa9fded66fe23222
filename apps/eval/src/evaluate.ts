// One model on one text: open, tokenize, load, measure, release.
import { locateCheckpoint, type ModelView } from '@quern/checkpoint';
import { hyperparameters, loadModel, openModel } from '@quern/models';
import { type PerplexityResult, perplexity, perplexityLoadOptions, perplexityTokens } from '@quern/perplexity';
import { cpuDevice } from '@quern/runtime';
import { downloadProgress, type Progress, type ProgressMode } from '@quern/terminal';
import { tokenizerFromGguf } from '@quern/tokenizer';

export interface Text {
  file: string;
  bytes: Uint8Array;
}

export interface EvaluateOptions {
  contextTokens: number;
  maxChunks?: number;
  threads?: number;
  signal: AbortSignal;
  progress: Progress;
  progressMode: ProgressMode;
}

export interface Evaluation extends PerplexityResult {
  /** As the user named it. */
  model: string;
  parameters: number;
  /** Bytes of all tensors. */
  sizeBytes: number;
  bitsPerWeight: number;
}

/** @param model a GGUF file, a checkpoint folder, or a hub id */
export async function evaluate(model: string, text: Text, options: EvaluateOptions): Promise<Evaluation> {
  const download = downloadProgress(options.progressMode);
  const { path } = await locateCheckpoint(model, { signal: options.signal, onProgress: download.onProgress });
  download.finish();
  const view = await openModel(path);
  try {
    const result = await measure(view, text, options);
    const tensors = [...view.tensors.values()];
    const parameters = tensors.reduce((sum, tensor) => sum + tensor.rows * tensor.cols, 0);
    const sizeBytes = tensors.reduce((sum, tensor) => sum + tensor.rows * tensor.rowBytes, 0);
    return { model, parameters, sizeBytes, bitsPerWeight: (8 * sizeBytes) / parameters, ...result };
  } finally {
    await view.close();
  }
}

async function measure(view: ModelView, text: Text, options: EvaluateOptions): Promise<PerplexityResult> {
  const { contextTokens, maxChunks, signal, progress } = options;
  const tokenizer = tokenizerFromGguf(view.metadata);
  const ids = perplexityTokens(tokenizer, text.bytes, text.file);
  const { vocabSize, contextLength } = hyperparameters(view);
  if (contextTokens > contextLength) {
    progress.note(`${view.path}: trained on ${contextLength} tokens of context; evaluated at ${contextTokens}.`);
  }
  const device = await cpuDevice({ threads: options.threads });
  try {
    const loaded = await loadModel(view, device, perplexityLoadOptions(vocabSize, contextTokens));
    return await perplexity(loaded, ids, {
      contextTokens,
      maxChunks,
      bos: tokenizer.addBos ? tokenizer.bos : undefined,
      signal,
      onChunk: ({ chunksDone, chunks, ppl }) =>
        progress.update({
          done: chunksDone * contextTokens,
          total: chunks * contextTokens,
          label: `PPL ${ppl.toFixed(4)}`,
        }),
    });
  } finally {
    await device.dispose();
  }
}
