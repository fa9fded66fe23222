// Writes a model by its plan: header first, then row blocks in any order, several at a time, each to its place.
//
//   lane:  next row block ─▶ read rows ─▶ transcode (a thread of the pool) ─▶ check ─▶ write at its offset ─▶ next …
//
// There are more lanes than threads, so that some read and write while others compute. Memory is what the lanes hold.
import { createHash } from 'node:crypto';
import { availableParallelism } from 'node:os';
import type { ModelView, TensorView } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import { type GgufLayout, layoutGguf } from '@quern/gguf';
import { type Plan, refuseFallbacks } from '../plan/plan.ts';
import { checkWeights, type WeightPolicy } from './check-weights.ts';
import { type OutputFile, openOutput } from './output-file.ts';
import { preflight } from './preflight.ts';
import { type RowBlock, rowBlocks, rowsPerBlock } from './row-blocks.ts';
import { sourceIdentity } from './source-identity.ts';
import { openTranscoder, type Transcoder } from './transcoder.ts';

export interface WriteProgress {
  /** Bytes of the input dealt with, and of all of it. */
  done: number;
  total: number;
  /** The tensor at work. */
  tensor: string;
}

export interface WriteOptions extends WeightPolicy {
  /** Default: what the machine has. The bytes do not depend on it. */
  threads?: number;
  onProgress?: (progress: WriteProgress) => void;
  /** Sentences for a person: resumed, discarded. */
  onNote?: (text: string) => void;
  signal?: AbortSignal;
  /** Refuse a plan with fallbacks. */
  strict?: boolean;
  /** Replace an existing file. */
  force?: boolean;
  /** Bytes between two journal entries: what a crash may cost. Default 256 MiB. */
  journalBytes?: number;
}

export interface WriteResult {
  readonly path: string;
  /** Size of the file: tensor data, metadata, padding. */
  readonly fileBytes: number;
  /** Tensors that an earlier run had completed. */
  readonly resumedTensors: number;
  readonly ms: number;
}

/** Version of the bytes: raise it when the same plan gives other bytes, so that old partial files are not continued. */
const bytesVersion = 1;

/**
 * Writes `view` as `plan` says to `path`, under a temporary name until complete.
 * @throws QuernError `refused-fallback`, `refused-output-exists`, `refused-output-is-input`, `refused-disk-space`,
 *   `refused-non-finite`, `refused-f16-overflow`, `dtype-without-codec`, `tensor-missing`, `source-changed`, `disk-full`,
 *   `write-failed`, `interrupted`, and those of reading
 */
export async function writeModel(
  view: ModelView,
  plan: Plan,
  path: string,
  options: WriteOptions = {},
): Promise<WriteResult> {
  const startMs = performance.now();
  if (options.strict) refuseFallbacks(plan, view.path);
  const views = plan.tensors.map((tensor) => viewOf(view, tensor.name));
  const layout = layoutGguf(
    plan.metadata,
    plan.tensors.map(({ name, to, shape }) => ({ name, dtype: to, shape })),
  );
  const files = new Set(views.map((tensor) => tensor.file));
  await preflight(path, { inputs: files, size: layout.fileBytes, force: options.force });

  const sources = await sourceIdentity(files);
  const threads = options.threads ?? availableParallelism();
  const transcoder = await openTranscoder(plan, threads);
  try {
    const identity = identityOf(layout, plan, sources, options);
    const { journalBytes, onNote } = options;
    const output = await openOutput(path, { size: layout.fileBytes, identity, journalBytes, onNote });
    try {
      await output.write(layout.header, 0);
      await writeTensors({ view, plan, layout, output, transcoder, threads, options });
      if ((await sourceIdentity(files)) !== sources) throw sourceChanged(view.path);
    } catch (error) {
      await output.abandon();
      throw error;
    }
    await output.commit();
    const resumedTensors = output.finished.size;
    return { path, fileBytes: layout.fileBytes, resumedTensors, ms: performance.now() - startMs };
  } finally {
    await transcoder.close();
  }
}

interface Job {
  view: ModelView;
  plan: Plan;
  layout: GgufLayout;
  output: OutputFile;
  transcoder: Transcoder;
  threads: number;
  options: WriteOptions;
}

async function writeTensors(job: Job): Promise<void> {
  const { plan, output, options, threads } = job;
  const progress = progressOf(plan, output.finished, options.onProgress);
  const blocks = rowBlocks(plan, output.finished);
  const left = new Map(plan.tensors.map((tensor) => [tensor.name, Math.ceil(tensor.rows / rowsPerBlock(tensor))]));
  let failed = false;

  const lane = async (): Promise<void> => {
    for (const block of blocks) {
      if (failed) return;
      options.signal?.throwIfAborted();
      await writeBlock(job, block);
      progress(block);
      const { name } = block.tensor;
      left.set(name, left.get(name)! - 1);
      if (left.get(name) === 0) output.finishTensor(name);
    }
  };
  // A failed lane stops the others, which finish the block they hold: nobody writes into a closed file.
  const lanes = Array.from({ length: 2 * threads + 2 }, () =>
    lane().catch((error) => {
      failed = true;
      throw error;
    }),
  );
  const outcome = (await Promise.allSettled(lanes)).find((result) => result.status === 'rejected');
  if (outcome) throw outcome.reason;
}

async function writeBlock({ view, layout, output, transcoder, options }: Job, block: RowBlock): Promise<void> {
  const { tensor, firstRow, rows, offset } = block;
  const source = viewOf(view, tensor.name);
  await transcoder.run(
    block,
    (input) => source.readRows(firstRow, rows, input),
    async (input, bytes) => {
      checkWeights(block, input, bytes, source.file, options);
      await output.write(bytes, layout.tensors.get(tensor.name)!.offset + offset);
    },
  );
}

function progressOf(plan: Plan, finished: ReadonlySet<string>, report: WriteOptions['onProgress']) {
  const bytesPerRow = ({ cols, from }: Plan['tensors'][number]) => (cols / from.blockSize) * from.typeSize;
  const total = plan.totals.bytesIn;
  let done = 0;
  for (const tensor of plan.tensors) if (finished.has(tensor.name)) done += tensor.rows * bytesPerRow(tensor);
  return ({ tensor, rows }: RowBlock): void => {
    done += rows * bytesPerRow(tensor);
    report?.({ done, total, tensor: tensor.name });
  };
}

function identityOf(layout: GgufLayout, plan: Plan, sources: string, policy: WeightPolicy): string {
  const types = plan.tensors.map(({ name, from, via }) => [name, from.name, via?.name]);
  return createHash('sha256')
    .update(layout.header)
    .update(JSON.stringify([bytesVersion, types, policy.allowNonFinite ?? false, policy.onOverflow ?? 'refuse']))
    .update(sources)
    .digest('hex');
}

function viewOf(view: ModelView, name: string): TensorView {
  const found = view.tensors.get(name);
  if (found) return found;
  throw new QuernError('tensor-missing', 'The plan names a tensor that the model does not have.', {
    file: view.path,
    tensor: name,
  });
}

const sourceChanged = (file: string): QuernError =>
  new QuernError('source-changed', 'The input changed while it was read.', {
    file,
    remedy: 'Do not write to it, and run the command again.',
  });
