// Writes a model by its plan: header first, then the tensors, a few of them at a time, each cut into pieces:
//
//   read rows into the memory of a thread ─▶ transcode there ─▶ write at the offset
//
// Memory is what the threads of the pool have (about 8 MiB each), however large the model is.
import { createHash } from 'node:crypto';
import { TranscodePool } from '@quern/blocks';
import type { ModelView, TensorView } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import { type GgufLayout, layoutGguf } from '@quern/gguf';
import { type Plan, refuseFallbacks, type TensorPlan } from '../plan/plan.ts';
import { type OutputFile, openOutput } from './output-file.ts';
import { preflight } from './preflight.ts';
import { sourceIdentity } from './source-identity.ts';
import { transcodeTensor } from './transcode-tensor.ts';
import { applyPolicy, type WeightPolicy } from './weight-policy.ts';

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
  /** Threads to work on, for callers that write several models; they stay open. Default: own ones. */
  pool?: TranscodePool;
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
 *   `refused-non-finite`, `refused-f16-overflow`, `transcode-unsupported`, `tensor-missing`, `source-changed`, `disk-full`,
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
  const pool = options.pool ?? (await TranscodePool.create({ threads: options.threads }));
  try {
    checkSupported(pool, plan, view.path);
    const { journalBytes, onNote } = options;
    const identity = identityOf(layout, plan, sources, options);
    const output = await openOutput(path, { size: layout.fileBytes, identity, journalBytes, onNote });
    try {
      await output.write(layout.header, 0);
      await writeTensors({ view, plan, layout, output, pool, options });
      if ((await sourceIdentity(files)) !== sources) throw sourceChanged(view.path);
    } catch (error) {
      // A refusal will be the same next time; everything else may be resumed.
      const refused = error instanceof QuernError && error.code.startsWith('refused-');
      await output.abandon({ keep: !refused });
      throw error;
    }
    await output.commit();
    const resumedTensors = output.finished.size;
    return { path, fileBytes: layout.fileBytes, resumedTensors, ms: performance.now() - startMs };
  } finally {
    if (!options.pool) await pool.close();
  }
}

/** How many tensors are at work at once: while the last pieces of one are written, the next is read. */
const tensorsAtOnce = 3;

interface Job {
  view: ModelView;
  plan: Plan;
  layout: GgufLayout;
  output: OutputFile;
  pool: TranscodePool;
  options: WriteOptions;
}

async function writeTensors(job: Job): Promise<void> {
  const { plan, output, options } = job;
  const report = progressOf(plan, output.finished, options.onProgress);
  const todo = plan.tensors.filter((tensor) => !output.finished.has(tensor.name)).values();
  let failure: { error: unknown } | undefined;

  const onBytes: OnBytes = (tensor, bytes) => {
    // What fails in one lane, or is asked for by the user, stops all of them at their next piece.
    if (failure) throw failure.error;
    options.signal?.throwIfAborted();
    report(tensor, bytes);
  };
  const lane = async (): Promise<void> => {
    for (const tensor of todo) {
      if (failure) return;
      await writeTensor(job, tensor, onBytes);
      output.finishTensor(tensor.name);
    }
  };
  await Promise.all(
    Array.from({ length: tensorsAtOnce }, () =>
      lane().catch((error) => {
        failure ??= { error };
      }),
    ),
  );
  if (failure) throw failure.error;
}

/** Told about bytes of a tensor that were written; may throw. */
type OnBytes = (tensor: TensorPlan, bytes: number) => void;

async function writeTensor({ view, layout, output, pool, options }: Job, tensor: TensorPlan, onBytes: OnBytes) {
  const source = viewOf(view, tensor.name);
  const begin = layout.tensors.get(tensor.name)!.offset;
  const found = await transcodeTensor(pool, tensor, source, async (bytes, offset) => {
    await output.write(bytes, begin + offset);
    onBytes(tensor, bytes.length);
  });
  applyPolicy(tensor, found, source.file, options);
}

/** Progress counts the bytes of the input that stand behind the bytes written. */
function progressOf(plan: Plan, finished: ReadonlySet<string>, onProgress: WriteOptions['onProgress']): OnBytes {
  const total = plan.totals.bytesIn;
  const perByteWritten = ({ from, to }: TensorPlan) => (from.typeSize * to.blockSize) / (from.blockSize * to.typeSize);
  let done = 0;
  for (const tensor of plan.tensors) if (finished.has(tensor.name)) done += tensor.bytes * perByteWritten(tensor);
  return (tensor, bytes) => {
    done += bytes * perByteWritten(tensor);
    onProgress?.({ done: Math.round(done), total, tensor: tensor.name });
  };
}

function checkSupported(pool: TranscodePool, plan: Plan, file: string): void {
  for (const { name, from, via, to } of plan.tensors) {
    if (via ? pool.supports(from, via) && pool.supports(via, to) : pool.supports(from, to)) continue;
    throw new QuernError(
      'transcode-unsupported',
      `Weights stored as ${from.name} cannot be written as ${to.name} yet.`,
      {
        file,
        tensor: name,
        remedy: 'Choose another --type.',
      },
    );
  }
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
