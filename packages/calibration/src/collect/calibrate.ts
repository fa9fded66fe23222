// Measures an importance matrix: runs a model over chunks of text, each from an empty cache, and sums the squares of what
// every weight is multiplied with; draft blocks see it too, where the model was loaded with them.
import { QuernError } from '@quern/errors';
import type { LoadOptions, Model, TokenBatch } from '@quern/models';
import type { ImportanceMatrix } from '../imatrix/importance-matrix.ts';
import { type CollectorOptions, ImportanceCollector } from './collector.ts';
import { shortfalls } from './coverage.ts';
import { collectDraftInputs } from './draft-inputs.ts';

/** More tokens per batch gain nothing on a CPU and cost activations. */
const maxBatchTokens = 512;
/** What the logits of one batch may occupy; they are computed only when the output projection is measured. */
const logitsBudgetBytes = 64 * 2 ** 20;

export interface CalibrateOptions extends CollectorOptions {
  /** Names of the texts behind the chunks. */
  readonly datasets: readonly string[];
  /** Chunks to run. Default: all. */
  readonly maxChunks?: number;
  /** Go on beyond `maxChunks`, while there are chunks, until every matrix (expert) has seen this many rows. */
  readonly minimumRows?: number;
  /** What an earlier run with the same model, chunks and options had measured. */
  readonly resume?: ImportanceMatrix;
  /** Called after each chunk and awaited. `snapshot` reads what has been measured so far. */
  readonly onChunk?: (state: CalibrationState) => void | Promise<void>;
  /** Ends the run between two chunks with the signal's reason. */
  readonly signal?: AbortSignal;
}

export interface CalibrationState {
  readonly chunksDone: number;
  /** Chunks that will be run, as far as is known. */
  readonly chunks: number;
  snapshot(): Promise<ImportanceMatrix>;
}

/** Options for `loadModel` that `calibrate` works best with. */
export function calibrationLoadOptions(
  vocabSize: number,
  contextTokens: number,
  { processOutput }: CollectorOptions = {},
): LoadOptions {
  const affordable = Math.max(1, Math.floor(logitsBudgetBytes / (4 * vocabSize)));
  const batchTokens = Math.min(contextTokens, maxBatchTokens, processOutput ? affordable : maxBatchTokens);
  return { batchTokens, cells: contextTokens, maxOutputs: processOutput ? batchTokens : 1 };
}

/**
 * @param model loaded with a cache of at least one chunk (`calibrationLoadOptions`)
 * @param chunks [contextTokens] each, all of one size (`calibrationChunks`)
 * @throws QuernError `calibration-no-chunks`, `calibration-cache-too-small`, `imatrix-bad-sum` (tensor named) when the
 *   model computes numbers that are not finite
 */
export async function calibrate(
  model: Model,
  chunks: readonly Int32Array[],
  options: CalibrateOptions,
): Promise<ImportanceMatrix> {
  const { maxChunks = chunks.length, minimumRows = 0, resume, onChunk, signal } = options;
  const chunkSize = requireChunks(model, chunks);
  const wanted = Math.min(maxChunks, chunks.length);
  const collector = new ImportanceCollector(model.device, options);
  try {
    if (resume) collector.restore(resume.entries);
    const firstChunk = resume?.chunkCount ?? 0;
    let chunksDone = firstChunk;
    const snapshot = async (): Promise<ImportanceMatrix> => {
      const entries = await collector.entries();
      return { datasets: options.datasets, chunkCount: chunksDone, chunkSize, entries };
    };
    const needsMore = async () =>
      chunksDone < wanted ||
      (minimumRows > 0 && chunksDone < chunks.length && shortfalls(await collector.entries(), minimumRows).length > 0);
    while (await needsMore()) {
      signal?.throwIfAborted();
      await runChunk(model, chunks[chunksDone]!, collector, options);
      chunksDone++;
      // A model that computes no numbers shows at once, and not after hours.
      if (chunksDone === firstChunk + 1) await collector.entries();
      await onChunk?.({ chunksDone, chunks: Math.max(wanted, chunksDone), snapshot });
    }
    return await snapshot();
  } finally {
    collector.dispose();
  }
}

async function runChunk(
  model: Model,
  tokens: Int32Array,
  collector: ImportanceCollector,
  { processOutput }: CollectorOptions,
): Promise<void> {
  const size = processOutput ? Math.min(model.batchTokens, model.maxOutputs) : model.batchTokens;
  for (let from = 0; from < tokens.length; from += size) {
    const batch = batchOf(model, tokens, from, Math.min(from + size, tokens.length));
    if (processOutput) await model.forward({ ...batch, outputRows: batch.tokens.map((_, row) => row) }, collector);
    else await model.prefill(batch, collector);
    await collectDraftInputs(model, tokens, batch, collector);
    await model.device.sync();
    // The device computes on this thread: let signals and timers of the process have their turn.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Positions from … to of one sequence whose cache blocks lie in order. */
const batchOf = (model: Model, tokens: Int32Array, from: number, to: number): TokenBatch => ({
  tokens: tokens.subarray(from, to),
  positions: Int32Array.from({ length: to - from }, (_, i) => from + i),
  seqs: new Int32Array(to - from),
  blockTable: Int32Array.from({ length: model.tableWidth }, (_, i) => i),
});

function requireChunks({ blocks, blockTokens }: Model, chunks: readonly Int32Array[]): number {
  const chunkSize = chunks[0]?.length ?? 0;
  if (chunkSize === 0 || chunks.some((chunk) => chunk.length !== chunkSize))
    throw new QuernError('calibration-no-chunks', 'There are no chunks, or they differ in size.');
  const cells = blocks * blockTokens;
  if (cells < chunkSize)
    throw new QuernError(
      'calibration-cache-too-small',
      `The model was loaded with a cache of ${cells} tokens; ${chunkSize} are needed.`,
    );
  return chunkSize;
}
