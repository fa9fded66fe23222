// What `quern convert` and `quern quantize` do once they have a plan: show it, or write it and say what was written.
import { TranscodePool } from '@quern/blocks';
import type { ModelView } from '@quern/checkpoint';
import type { QuernError } from '@quern/errors';
import { createProgress, exitCodeOf, parseCount, printJson, printLine, printNote, progressMode } from '@quern/terminal';
import type { ImportanceSource } from '../importance/open-importance.ts';
import type { Plan } from '../plan/plan.ts';
import { refuseCompromises, refuseUnwritable } from '../plan/refusals.ts';
import { refuseErrors, type TensorVerdict, verifyModel } from '../verify/verify-model.ts';
import { parseShard } from '../write/shard.ts';
import { usefulThreads } from '../write/useful-threads.ts';
import { type WriteResult, writeModel } from '../write/write-model.ts';
import type { WriteFlagValues } from './flags.ts';
import { checkWriteFlags, type OutputFlags, plannedFiles, verifyBound } from './outputs.ts';
import { describePlan, describeTensors, describeVerdicts, describeWritten, planSummary } from './report.ts';

export interface ReportOptions extends WriteFlagValues, OutputFlags {
  /** `convert` or `quantize`: the title of the progress line. */
  title: string;
  imatrix?: ImportanceSource;
  signal?: AbortSignal;
  /** Told of files that stay behind when the run is stopped, for the next one to go on with. */
  onUnfinished?: (...paths: string[]) => void;
  /** More facts for the document of `--json`. */
  facts?: object;
  /** Another file of the same run. */
  beside?: FileBeside;
}

/** A file that goes with that of the model: a tower of the same checkpoint. */
export interface FileBeside {
  /** Where its facts stand in the document of `--json`. */
  readonly key: string;
  readonly view: ModelView;
  readonly plan: Plan;
  readonly path: string;
}

interface Written {
  readonly plan: Plan;
  readonly result: WriteResult;
  /** Of `FileBeside`. */
  readonly key?: string;
  readonly verdicts?: readonly TensorVerdict[];
}

/**
 * @returns exit code, when it is not 0: what was written did not pass `--verify`
 * @throws QuernError `usage-shard`, `usage-verify`, those of `writeModel` and `verifyModel`; with `strict` also before a
 *   dry run
 */
export async function writeAndReport(
  view: ModelView,
  plan: Plan,
  path: string,
  options: ReportOptions,
): Promise<number | undefined> {
  const { dryRun, json, strict } = options;
  checkWriteFlags(options);
  const bound = verifyBound(options);
  const { beside } = options;
  const both = beside ? [{ view, plan, path }, beside] : [{ view, plan, path }];
  const notes = both.flatMap((file) => [...(file.view.notes ?? []), ...file.plan.notes]);
  for (const note of notes) if (!json) printNote(`note: ${note}`);
  if (strict) for (const file of both) refuseCompromises(file.plan, file.view.path);
  if (dryRun) {
    const refusal = both.map((file) => refusalOf(file.plan, file.view.path)).find(Boolean);
    const also = beside && { [beside.key]: { path: beside.path, ...planSummary(beside.plan) } };
    if (json) printJson({ path, notes, ...options.facts, ...planSummary(plan), ...also, ...(refusal && { refusal }) });
    else for (const file of both) printLine(describeDryRun(file));
    if (refusal && !json) printNote(`note: this would be refused: ${refusal.describe()}`);
    return undefined;
  }
  const written = await writeAll(view, plan, path, options, bound !== undefined);
  return report(notes, plan, written, bound, options);
}

const describeDryRun = ({ plan, path }: Pick<FileBeside, 'plan' | 'path'>): string =>
  `${describeTensors(plan)}\n\n${describePlan(plan)}\n${path}: not written (dry run)`;

/** Why the plan could not be written, if so. */
function refusalOf(plan: Plan, file: string): QuernError | undefined {
  try {
    refuseUnwritable(plan, file);
    return undefined;
  } catch (error) {
    return error as QuernError;
  }
}

async function writeAll(
  view: ModelView,
  plan: Plan,
  path: string,
  options: ReportOptions,
  verify: boolean,
): Promise<Written[]> {
  const { title, json, signal, onUnfinished, imatrix, strict, force, allowNonFinite, onOverflow } = options;
  const shard = options.shard === undefined ? undefined : parseShard(options.shard);
  const { beside } = options;
  const files = [
    ...plannedFiles(view, plan, path, options).map((file) => ({ ...file, view, key: undefined })),
    ...(beside ? [beside] : []),
  ];
  for (const file of files) refuseUnwritable(file.plan, file.view.path);
  const threads = parseCount('--threads', options.threads, 1024) ?? usefulThreads(files.map((file) => file.plan));
  const pool = await TranscodePool.create({ threads });
  const written: Written[] = [];
  try {
    for (const { view: source, plan: part, path: file, key } of files) {
      const progress = createProgress({ title, mode: progressMode({ json }) });
      const result = await writeModel(source, part, file, {
        ...{ pool, shard, imatrix, strict, force, allowNonFinite, onOverflow, signal, onUnfinished },
        onNote: progress.note,
        onProgress: ({ done, total, tensor }) => progress.update({ done, total, label: tensor }),
      }).finally(() => progress.finish());
      const verdicts = verify ? await verified(source, part, file, pool, options) : undefined;
      written.push({ plan: part, result, ...(key !== undefined && { key }), ...(verdicts && { verdicts }) });
    }
  } finally {
    await pool.close();
  }
  return written;
}

async function verified(
  view: ModelView,
  plan: Plan,
  file: string,
  pool: TranscodePool,
  { json, signal }: ReportOptions,
): Promise<TensorVerdict[]> {
  const progress = createProgress({ title: 'verify', mode: progressMode({ json }) });
  const onProgress = ({ done, total, tensor }: { done: number; total: number; tensor: string }) =>
    progress.update({ done, total, label: tensor });
  return verifyModel(view, plan, file, { pool, signal, onProgress }).finally(() => progress.finish());
}

function report(
  notes: readonly string[],
  plan: Plan,
  written: readonly Written[],
  bound: number | undefined,
  { json, facts }: ReportOptions,
): number | undefined {
  const error = written.map(({ verdicts, result }) => verdicts && failure(verdicts, bound!, result.path)).find(Boolean);
  const verdicts = written.flatMap((file) => file.verdicts ?? []);
  if (json) {
    const own = written.filter(({ key }) => key === undefined);
    const files = own.length === 1 ? factsOf(own[0]!.result) : { files: own.map(({ result }) => factsOf(result)) };
    const beside = written.flatMap(({ key, plan: part, result }) =>
      key === undefined ? [] : [[key, { ...planSummary(part), ...factsOf(result) }] as const],
    );
    const verify = bound === undefined ? {} : { verify: { bound, tensors: verdicts } };
    printJson({
      notes,
      ...facts,
      ...planSummary(plan),
      ...files,
      ...Object.fromEntries(beside),
      ...verify,
      ...(error && { error }),
    });
  } else {
    if (bound !== undefined) printLine(`${describeVerdicts(verdicts)}\n`);
    printLine(describePlan(plan));
    for (const { key, plan: part, result } of written) {
      if (key !== undefined) printLine(`${key} ${describePlan(part)}`);
      printLine(describeWritten(result));
    }
    if (error) printNote(`error: ${error.describe()}`);
  }
  return error && exitCodeOf(error);
}

const factsOf = ({ ms, ...result }: WriteResult) => ({ ...result, seconds: ms / 1000 });

function failure(verdicts: readonly TensorVerdict[], bound: number, file: string): QuernError | undefined {
  try {
    refuseErrors(verdicts, bound, file);
    return undefined;
  } catch (error) {
    return error as QuernError;
  }
}
