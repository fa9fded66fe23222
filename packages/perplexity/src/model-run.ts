// One sequence through a model, some tokens at a time: part of it only to fill the cache, part of it for its logits,
// which come in sub-batches, so that a vocabulary of 128k needs tens of megabytes and not contextTokens · vocab.
import { QuernError } from '@quern/errors';
import type { LoadOptions, Model } from '@quern/models';
import type { Tensor } from '@quern/runtime';

/** What the logits of one sub-batch may occupy. */
const logitsBudgetBytes = 64 * 2 ** 20;
/** More tokens per batch gain nothing on a CPU and cost activations. */
const maxBatchTokens = 512;

/** Options for `loadModel` that suit sequences of at most `contextTokens`. */
export function perplexityLoadOptions(vocabSize: number, contextTokens: number): LoadOptions {
  const outputs = Math.min(Math.floor(logitsBudgetBytes / (4 * vocabSize)), Math.ceil(contextTokens / 2));
  return {
    batchTokens: Math.min(contextTokens, maxBatchTokens),
    cells: contextTokens,
    maxOutputs: Math.max(1, outputs),
  };
}

export interface LogitBatch {
  /** Position of the first row. */
  readonly first: number;
  readonly count: number;
  /** [count, vocab] on the device; overwritten by the next batch. */
  readonly logits: Tensor;
}

/** Fills the cache with positions `from` … `to`. */
export async function fillCache(
  model: Model,
  ids: Int32Array,
  from: number,
  to: number,
  signal?: AbortSignal,
): Promise<void> {
  for (let first = from; first < to; first += model.batchTokens) {
    await letOthersRun(signal);
    await model.prefill(batchOf(model, ids, first, Math.min(to, first + model.batchTokens)));
  }
}

/** Logits of positions `from` … `to`; those before must be in the cache. */
export async function* logitsOf(
  model: Model,
  ids: Int32Array,
  from: number,
  to: number,
  signal?: AbortSignal,
): AsyncGenerator<LogitBatch> {
  const step = Math.min(model.batchTokens, model.maxOutputs);
  for (let first = from; first < to; first += step) {
    await letOthersRun(signal);
    const count = Math.min(step, to - first);
    const outputRows = Int32Array.from({ length: count }, (_, row) => row);
    const logits = await model.forward({ ...batchOf(model, ids, first, first + count), outputRows });
    yield { first, count, logits };
  }
}

/** The CPU device computes on this thread: without a turn, Ctrl-C would be heard after the last batch. */
async function letOthersRun(signal?: AbortSignal): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  signal?.throwIfAborted();
}

/** Which part of the network first gives NaN or infinity at a position; those before it must be in the cache. */
export function locateNonFinite(model: Model, ids: Int32Array, position: number): Promise<string | undefined> {
  return model.locateNonFinite({ ...batchOf(model, ids, position, position + 1), outputRows: Int32Array.of(0) });
}

/** @throws QuernError `perplexity-cache-too-small` */
export function requireCells({ blocks, blockTokens }: Model, tokens: number): void {
  const cells = blocks * blockTokens;
  if (cells >= tokens) return;
  throw new QuernError(
    'perplexity-cache-too-small',
    `The model was loaded with a cache of ${cells} tokens; ${tokens} are needed.`,
  );
}

/** Positions from … to of one sequence whose cache blocks lie in order. */
const batchOf = (model: Model, ids: Int32Array, from: number, to: number) => ({
  tokens: ids.subarray(from, to),
  positions: Int32Array.from({ length: to - from }, (_, i) => from + i),
  seqs: new Int32Array(to - from),
  blockTable: Int32Array.from({ length: model.tableWidth }, (_, i) => i),
});

/** Log probabilities of known tokens, computed where the logits lie. */
export class TargetScorer {
  readonly #model: Model;
  readonly #targets: Tensor;
  readonly #logProbs: Tensor;

  constructor(model: Model) {
    const { device, maxOutputs } = model;
    this.#model = model;
    this.#targets = device.alloc('I32', [maxOutputs], 'scored targets');
    this.#logProbs = device.alloc('F32', [maxOutputs], 'log probabilities');
  }

  /** @param targets one per row of `logits` */
  async logProbs(logits: Tensor, targets: Int32Array): Promise<Float32Array> {
    const { device } = this.#model;
    const wanted = device.view(this.#targets, [targets.length]);
    const logProbs = device.view(this.#logProbs, [targets.length]);
    device.write(wanted, new Uint8Array(targets.buffer, targets.byteOffset, targets.byteLength));
    device.run('logProb', [logits, wanted], logProbs, {});
    return floatsOf(await device.read(logProbs));
  }

  dispose(): void {
    this.#model.device.free(this.#targets);
    this.#model.device.free(this.#logProbs);
  }
}

/** A copy where the bytes are not aligned. */
export const floatsOf = (bytes: Uint8Array): Float32Array =>
  bytes.byteOffset % 4 === 0
    ? new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4)
    : new Float32Array(bytes.slice().buffer);
