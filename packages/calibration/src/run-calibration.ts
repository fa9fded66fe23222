// A model on disk and texts in, an importance matrix in a file out. A run that is stopped leaves what it has measured in
// <output>.unfinished, and the same run goes on from there: its result has the same bytes as if nothing had happened.
import type { ModelView } from '@quern/checkpoint';
import { hyperparameters, loadOnDevices, networkOf } from '@quern/models';
import { requireOutputFile } from '@quern/source';
import { tokenizerFromGguf } from '@quern/tokenizer';
import { type CalibrationState, calibrate, calibrationLoadOptions } from './collect/calibrate.ts';
import { calibrationChunks } from './collect/chunks.ts';
import type { ImportanceMatrix } from './imatrix/importance-matrix.ts';
import { matchModel } from './imatrix/match-model.ts';
import { mergeImatrices, type NamedMatrix } from './imatrix/merge.ts';
import { type ImatrixFormat, writeImatrix } from './imatrix/write-imatrix.ts';
import type { CalibrationPlan } from './plan.ts';
import { runIdentity, UnfinishedRun } from './unfinished-run.ts';

export interface RunOptions {
  readonly threads?: number;
  /** Default `gguf`. */
  readonly format?: ImatrixFormat;
  /** Replace an existing file. */
  readonly force?: boolean;
  /** Earlier measurements of the same model, to which this one is added. */
  readonly merge?: readonly NamedMatrix[];
  readonly onProgress?: (progress: CalibrationProgress) => void;
  /** Sentences for a person: resumed, trained on a shorter context. */
  readonly onNote?: (text: string) => void;
  /** Told of files that stay behind when the run is stopped, for the next one to go on with. */
  readonly onUnfinished?: (...paths: string[]) => void;
  /** Stops the run after the chunk at work; what has been measured is kept. */
  readonly signal?: AbortSignal;
  /** Milliseconds between two saves: what a crash may cost. Default one minute. */
  readonly saveEveryMs?: number;
}

export interface CalibrationProgress {
  readonly chunksDone: number;
  readonly chunks: number;
  readonly tokensDone: number;
  readonly tokens: number;
}

export interface CalibrationResult {
  /** What was written. */
  readonly matrix: ImportanceMatrix;
  /** Chunks that an earlier run had done. */
  readonly resumedChunks: number;
}

/**
 * Measures the importance matrix of `view` and writes it to `output`.
 * @throws QuernError those of `requireOutputFile`, `disk-full`, `imatrix-other-model` (merge), the reason of
 *   `signal`, and those of `calibrationChunks`, `loadModel`, `calibrate`
 */
export async function runCalibration(
  view: ModelView,
  plan: CalibrationPlan,
  output: string,
  options: RunOptions = {},
): Promise<CalibrationResult> {
  const { merge = [], format, onNote } = options;
  const inputs = new Set([...view.tensors.values()].map(({ file }) => file));
  await requireOutputFile(output, { inputs, force: options.force });
  for (const { file, matrix } of merge) requireMatch(matrix, view, file);
  const chunks = calibrationChunks(tokenizerFromGguf(view.metadata), plan.texts, plan);
  noteMismatches(view, plan, chunks.length, onNote);

  const unfinished = new UnfinishedRun(output, await runIdentity(view, plan, chunks));
  options.onUnfinished?.(unfinished.path);
  const most =
    plan.minimumRows === undefined ? Math.min(plan.maxChunks ?? chunks.length, chunks.length) : chunks.length;
  const resume = await unfinished.resume(most, onNote);
  const measured = await measure({ view, plan, chunks, unfinished, resume, options });
  const matrix = merge.length > 0 ? mergeImatrices([...merge, { file: output, matrix: measured }]) : measured;
  await writeImatrix(output, matrix, format);
  await unfinished.discard();
  return { matrix, resumedChunks: resume?.chunkCount ?? 0 };
}

interface Job {
  readonly view: ModelView;
  readonly plan: CalibrationPlan;
  readonly chunks: readonly Int32Array[];
  readonly unfinished: UnfinishedRun;
  readonly resume?: ImportanceMatrix;
  readonly options: RunOptions;
}

async function measure({ view, plan, chunks, unfinished, resume, options }: Job): Promise<ImportanceMatrix> {
  const { contextTokens, texts, maxChunks, minimumRows, processOutput } = plan;
  const { onProgress, signal, saveEveryMs = 60_000 } = options;
  let savedMs = performance.now();
  const onChunk = async ({ chunksDone, chunks: count, snapshot }: CalibrationState): Promise<void> => {
    onProgress?.({
      chunksDone,
      chunks: count,
      tokensDone: chunksDone * contextTokens,
      tokens: count * contextTokens,
    });
    if (!signal?.aborted && performance.now() - savedMs < saveEveryMs) return;
    await unfinished.save(await snapshot());
    savedMs = performance.now();
  };
  const { vocabSize } = hyperparameters(view);
  const devices = { devices: [{ kind: 'cpu' } as const], threads: options.threads };
  const draft = networkOf(view).draft.length > 0;
  const loadOptions = { ...calibrationLoadOptions(vocabSize, contextTokens, plan), draft };
  const { model, summary, dispose } = await loadOnDevices(view, devices, loadOptions);
  const most = Math.min(maxChunks ?? chunks.length, chunks.length);
  const earlier = resume ? `, ${resume.chunkCount} of them measured before` : '';
  options.onNote?.(`Measuring ${most} chunks of ${contextTokens} tokens${earlier}, one at a time, on ${summary}.`);
  try {
    const datasets = texts.map(({ name }) => name);
    return await calibrate(model, chunks, {
      datasets,
      maxChunks,
      minimumRows,
      processOutput,
      resume,
      onChunk,
      signal,
    });
  } finally {
    await dispose();
  }
}

function noteMismatches(view: ModelView, plan: CalibrationPlan, chunks: number, onNote: RunOptions['onNote']): void {
  const { contextLength } = hyperparameters(view);
  const { contextTokens, maxChunks } = plan;
  if (contextTokens > contextLength)
    onNote?.(`The model was trained on ${contextLength} tokens of context; it is measured at ${contextTokens}.`);
  if (maxChunks !== undefined && maxChunks > chunks)
    onNote?.(`The text has ${chunks} chunks, fewer than the ${maxChunks} asked for.`);
}

function requireMatch({ entries }: ImportanceMatrix, view: ModelView, file: string): void {
  const shapes = [...entries].map(
    ([name, { sums, counts }]) => [name, { length: sums.length, matrices: counts.length }] as const,
  );
  matchModel(new Map(shapes), view.tensors, file);
}
