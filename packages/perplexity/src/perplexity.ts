// Perplexity of a loaded model on tokens, by llama-perplexity's method (chunks.ts, tally.ts). Logits stay on the device:
// the logProb op reduces each scored row to one number there, and rows come in sub-batches, so that a vocabulary of
// 128k needs tens of megabytes and not contextTokens · vocab.
import { QuernError } from '@quern/errors';
import type { LoadOptions, Model } from '@quern/models';
import type { Tensor } from '@quern/runtime';
import { type Chunk, type ChunkOptions, chunkAt, countChunks } from './chunks.ts';
import { type Figures, Tally } from './tally.ts';

/** What the logits of one sub-batch may occupy. */
const logitsBudgetBytes = 64 * 2 ** 20;
/** More tokens per batch gain nothing on a CPU and cost activations. */
const maxBatchTokens = 512;

export interface PerplexityOptions extends ChunkOptions {
  /** Called after each chunk with the figures so far. */
  onChunk?: (state: PerplexityState) => void;
  /** Ends the run between two batches with the signal's reason. */
  signal?: AbortSignal;
}

export interface PerplexityState extends Figures {
  chunksDone: number;
  chunks: number;
}

export interface PerplexityResult extends Figures {
  contextTokens: number;
  chunks: number;
  seconds: number;
  /** Tokens that went through the model, per second. */
  tokensPerSecond: number;
}

/** Options for `loadModel` that `perplexity` works best with. */
export function perplexityLoadOptions(vocabSize: number, contextTokens: number): LoadOptions {
  const maxOutputs = Math.max(
    1,
    Math.min(Math.floor(logitsBudgetBytes / (4 * vocabSize)), Math.ceil(contextTokens / 2)),
  );
  return { batchTokens: Math.min(contextTokens, maxBatchTokens), cells: contextTokens, maxOutputs };
}

/**
 * @param model loaded with at least `contextTokens` cache positions
 * @param ids the whole text (`perplexityTokens`)
 * @throws QuernError `perplexity-bad-context`, `text-too-short`, `perplexity-cache-too-small`, `perplexity-not-finite`
 */
export async function perplexity(model: Model, ids: Int32Array, options: PerplexityOptions): Promise<PerplexityResult> {
  const { contextTokens, onChunk, signal } = options;
  const chunks = countChunks(ids.length, options);
  requireCells(model, contextTokens);
  const { device, maxOutputs } = model;
  const scratch = {
    targets: device.alloc('I32', [maxOutputs], 'perplexity targets'),
    logProbs: device.alloc('F32', [maxOutputs], 'perplexity log probabilities'),
  };
  const tally = new Tally();
  const start = performance.now();
  try {
    for (let index = 0; index < chunks; index++) {
      await scoreChunk(model, chunkAt(ids, index, options), scratch, tally, signal);
      onChunk?.({ ...tally.figures(), chunksDone: index + 1, chunks });
    }
  } finally {
    device.free(scratch.targets);
    device.free(scratch.logProbs);
  }
  const figures = tally.figures();
  if (!Number.isFinite(figures.nllMean)) {
    throw new QuernError(
      'perplexity-not-finite',
      'The model computed probabilities that are no numbers (NaN or infinite).',
    );
  }
  const seconds = (performance.now() - start) / 1000;
  const tokensPerSecond = (chunks * (contextTokens - 1)) / seconds;
  return { ...figures, contextTokens, chunks, seconds, tokensPerSecond };
}

type Scratch = Record<'targets' | 'logProbs', Tensor>;

async function scoreChunk(
  model: Model,
  chunk: Chunk,
  scratch: Scratch,
  tally: Tally,
  signal?: AbortSignal,
): Promise<void> {
  const { device } = model;
  const { inputs, targets, firstScored } = chunk;
  // The last token is only ever a target, so it need not go through the model.
  const last = inputs.length - 1;
  for (let from = 0; from < last; ) {
    signal?.throwIfAborted();
    const scored = from >= firstScored;
    const size = scored ? Math.min(model.batchTokens, model.maxOutputs) : model.batchTokens;
    const to = Math.min(from + size, scored ? last : firstScored);
    const batch = batchOf(model, inputs, from, to);
    if (scored) {
      const count = to - from;
      const logits = model.forward({ ...batch, outputRows: Int32Array.from({ length: count }, (_, row) => row) });
      const wanted = device.view(scratch.targets, [count]);
      const logProbs = device.view(scratch.logProbs, [count]);
      device.write(wanted, bytesOf(targets.subarray(from - firstScored, to - firstScored)));
      device.run('logProb', [logits, wanted], logProbs, {});
      tally.add(floatsOf(await device.read(logProbs)));
    } else {
      model.prefill(batch);
      await device.sync();
    }
    from = to;
  }
}

/** Positions from … to of one sequence whose cache blocks lie in order. */
const batchOf = (model: Model, inputs: Int32Array, from: number, to: number) => ({
  tokens: inputs.subarray(from, to),
  positions: Int32Array.from({ length: to - from }, (_, i) => from + i),
  seqs: new Int32Array(to - from),
  blockTable: Int32Array.from({ length: model.tableWidth }, (_, i) => i),
});

function requireCells({ blocks, blockTokens }: Model, contextTokens: number): void {
  const cells = blocks * blockTokens;
  if (cells >= contextTokens) return;
  throw new QuernError(
    'perplexity-cache-too-small',
    `The model was loaded with a cache of ${cells} tokens; ${contextTokens} are needed.`,
  );
}

const bytesOf = (ids: Int32Array): Uint8Array => new Uint8Array(ids.buffer, ids.byteOffset, ids.byteLength);
const floatsOf = (bytes: Uint8Array): Float32Array => new Float32Array(bytes.slice().buffer);
