// Writes a model by its plan: header first, then the tensors, a few of them at a time, each cut into pieces:
//
//   read rows into the memory of a thread ─▶ transcode there ─▶ write at the offset
//
// Memory is what the threads of the pool have (about 8 MiB each), however large the model is.
import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { type DType, rowBytes, TranscodePool } from '@quern/blocks';
import type { ModelView } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import { type GgufLayout, layoutGguf } from '@quern/gguf';
import { requireOutputFile } from '@quern/source';
import type { ImportanceSource } from '../importance/open-importance.ts';
import { type Plan, sourceNameOf, type TensorPlan } from '../plan/plan.ts';
import { refuseCompromises, refuseUnwritable } from '../plan/refusals.ts';
import { importanceReader } from './importance-reader.ts';
import { type OutputFile, openOutput } from './output-file.ts';
import { partHeader, readPartHeader } from './part-file.ts';
import { type Shard, type ShardNumber, shardOf, type TensorRows } from './shard.ts';
import { sourceIdentity, sourceSizes } from './source-identity.ts';
import { sourceView } from './source-view.ts';
import { transcodeRows } from './transcode-rows.ts';
import { usefulThreads } from './useful-threads.ts';
import { applyPolicy, type WeightPolicy } from './weight-policy.ts';

export interface WriteProgress {
  /** Bytes of the input dealt with, and of all of it. */
  done: number;
  total: number;
  /** The tensor at work. */
  tensor: string;
}

export interface WriteOptions extends WeightPolicy {
  /** Default: as many as the machine has and the plan can keep busy. The bytes do not depend on it. */
  threads?: number;
  /** Threads to work on, for callers that write several models; they stay open. Default: own ones. */
  pool?: TranscodePool;
  /** What the plan was made with, when it was made with an importance matrix. */
  imatrix?: ImportanceSource;
  /** Write this part of the file alone, for `mergeParts`. One that is there already is left as it is. */
  shard?: ShardNumber;
  onProgress?: (progress: WriteProgress) => void;
  /** Sentences for a person: resumed, discarded. */
  onNote?: (text: string) => void;
  /** Told of files that stay behind when the run is stopped, for the next one to go on with. */
  onUnfinished?: (...paths: string[]) => void;
  signal?: AbortSignal;
  /** Refuse a plan with fallbacks, or with tensors that the importance matrix does not know. */
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
  /** Not the whole file: what `shard` asked for. */
  readonly part?: boolean;
  readonly ms: number;
}

/** Version of the bytes: raise it when the same plan gives other bytes, so that old partial files are not continued. */
const bytesVersion = 1;

/**
 * Writes `view` as `plan` says to `path`, under a temporary name until complete.
 * @throws QuernError `refused-fallback`, `refused-imatrix-needed`, `refused-no-importance`, `refused-output-exists`,
 *   `refused-output-is-input`, `refused-disk-space`, `refused-non-finite`, `refused-f16-overflow`,
 *   `transcode-unsupported`, `tensor-missing`, `source-changed`, `disk-full`, `write-failed`, `interrupted`, and those of
 *   reading
 */
export async function writeModel(
  view: ModelView,
  plan: Plan,
  path: string,
  options: WriteOptions = {},
): Promise<WriteResult> {
  const startMs = performance.now();
  refuseUnwritable(plan, view.path);
  if (options.strict) refuseCompromises(plan, view.path);
  const views = plan.tensors.map((tensor) => sourceView(view, tensor));
  const layout = layoutOf(plan);
  const files = new Set([...views.map((tensor) => tensor.file), ...(view.computedFrom?.files ?? [])]);
  if (options.imatrix) files.add(options.imatrix.path);
  const content = await contentIdentity(layout, plan, files, { ...options, settings: view.computedFrom?.settings });
  const { part, shard } = partOf(plan, layout, content, options.shard);
  const fileBytes = part.length + shard.end - shard.begin;
  const result = (resumedTensors: number): WriteResult => ({
    ...{ path, fileBytes, resumedTensors, ...(options.shard && { part: true }) },
    ms: performance.now() - startMs,
  });
  if (options.shard && !options.force && (await isWritten(path, part))) {
    options.onNote?.(`${path} is complete: left as it is.`);
    return result(shard.rows.length);
  }
  await requireOutputFile(path, { inputs: files, size: fileBytes, force: options.force });

  const sources = await sourceIdentity(files);
  const pool = options.pool ?? (await TranscodePool.create({ threads: options.threads ?? usefulThreads([plan]) }));
  try {
    checkSupported(pool, plan, view.path);
    const { journalBytes, onNote, onUnfinished } = options;
    const identity = createHash('sha256').update(content).update(part).update(sources).digest('hex');
    const output = await openOutput(path, { size: fileBytes, identity, journalBytes, onNote, onUnfinished });
    try {
      const shift = part.length - shard.begin;
      await output.write(part, 0);
      if (shard.begin === 0) await output.write(layout.header, shift);
      await writeTensors({ view, shard, shift, output, pool, options });
      if ((await sourceIdentity(files)) !== sources) throw sourceChanged(view.path);
    } catch (error) {
      // A refusal will be the same next time; everything else may be resumed.
      const refused = error instanceof QuernError && error.code.startsWith('refused-');
      await output.abandon({ keep: !refused });
      throw error;
    }
    await output.commit();
    return result(output.finished.size);
  } finally {
    if (!options.pool) await pool.close();
  }
}

/** Where everything will stand in the file; its `fileBytes` are the size of the file. */
export const layoutOf = ({ metadata, tensors }: Plan): GgufLayout =>
  layoutGguf(
    metadata,
    tensors.map(({ name, to, shape }) => ({ name, dtype: to, shape })),
  );

/** What the shard asked for covers, and the header of its part; of a whole file everything, and no header. */
function partOf(plan: Plan, layout: GgufLayout, identity: string, number?: ShardNumber) {
  const shard = shardOf(plan, layout, number ?? { index: 1, count: 1 });
  if (!number) return { part: new Uint8Array(0), shard };
  const { begin, end } = shard;
  const { fileBytes } = layout;
  return { part: partHeader({ identity, shard: number.index, of: number.count, begin, end, fileBytes }), shard };
}

/** Whether the same part is there: jobs of an array may run again. */
async function isWritten(path: string, part: Uint8Array): Promise<boolean> {
  const there = await readPartHeader(path).catch(() => undefined);
  return there !== undefined && Buffer.compare(partHeader(there), part) === 0;
}

/** How many tensors are at work at once: while the last pieces of one are written, the next is read. */
const tensorsAtOnce = 3;

interface Job {
  view: ModelView;
  shard: Shard;
  /** From an offset in the whole file to the one in the file being written. */
  shift: number;
  output: OutputFile;
  pool: TranscodePool;
  options: WriteOptions;
}

async function writeTensors(job: Job): Promise<void> {
  const { shard, output, options } = job;
  const report = progressOf(shard, output.finished, options.onProgress);
  const importance = importanceReader(options.imatrix, options.onNote);
  const todo = shard.rows.filter(({ tensor }) => !output.finished.has(tensor.name)).values();
  let failure: { error: unknown } | undefined;

  const onBytes: OnBytes = (tensor, bytes) => {
    // What fails in one lane, or is asked for by the user, stops all of them at their next piece.
    if (failure) throw failure.error;
    options.signal?.throwIfAborted();
    report(tensor, bytes);
  };
  const lane = async (): Promise<void> => {
    for (const rows of todo) {
      if (failure) return;
      await writeRows(job, rows, await importance.of(rows.tensor), onBytes);
      output.finishUnit(rows.tensor.name);
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
  importance.tell();
}

/** Told about bytes of a tensor that were written; may throw. */
type OnBytes = (tensor: TensorPlan, bytes: number) => void;

async function writeRows(
  { view, shift, output, pool, options }: Job,
  { tensor, range, offset }: TensorRows,
  importance: Float32Array | undefined,
  onBytes: OnBytes,
): Promise<void> {
  const source = sourceView(view, tensor);
  const write = async (bytes: Uint8Array, at: number): Promise<void> => {
    await output.write(bytes, shift + offset + at);
    onBytes(tensor, bytes.length);
  };
  const found = await transcodeRows(pool, tensor, range, source, write, importance);
  applyPolicy(tensor, found, source.file, options);
}

/** Progress counts the bytes of the input that stand behind the bytes written. */
function progressOf(shard: Shard, finished: ReadonlySet<string>, onProgress: WriteOptions['onProgress']): OnBytes {
  const bytesOf = ({ tensor, range }: TensorRows): number => range.count * rowBytes(tensor.from, tensor.cols);
  const perByteWritten = ({ from, to }: { from: DType; to: DType }) =>
    (from.typeSize * to.blockSize) / (from.blockSize * to.typeSize);
  const total = shard.rows.reduce((sum, rows) => sum + bytesOf(rows), 0);
  let done = 0;
  for (const rows of shard.rows) if (finished.has(rows.tensor.name)) done += bytesOf(rows);
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

/** Changes with anything that changes the bytes, the content of the input aside; the same wherever the input lies. */
async function contentIdentity(
  layout: GgufLayout,
  plan: Plan,
  files: Iterable<string>,
  policy: WriteOptions & { readonly settings?: string },
): Promise<string> {
  const steps = plan.tensors.map((tensor) => [
    ...[sourceNameOf(tensor), tensor.from.name, tensor.via?.name, tensor.importance],
  ]);
  const { allowNonFinite = false, onOverflow = 'refuse', imatrix, settings } = policy;
  const weighted = imatrix && [basename(imatrix.path), [...imatrix.entries.keys()]];
  return createHash('sha256')
    .update(layout.header)
    .update(JSON.stringify([bytesVersion, steps, allowNonFinite, onOverflow, weighted, await sourceSizes(files)]))
    .update(settings ?? '')
    .digest('hex');
}

const sourceChanged = (file: string): QuernError =>
  new QuernError('source-changed', 'The input changed while it was read.', {
    file,
    remedy: 'Do not write to it, and run the command again.',
  });
