// From the flags of a command to a plan, and to the importance matrix that writing it needs.
import type { ModelView } from '@quern/checkpoint';
import { parseOverride } from '@quern/models';
import { requireOutputFile } from '@quern/source';
import { createProgress, parseCount, printNote, progressMode } from '@quern/terminal';
import { measuredPath, measureImportance } from '../importance/measure-importance.ts';
import { type ImportanceSource, openImportance } from '../importance/open-importance.ts';
import type { PlannedImatrix } from '../plan/importance.ts';
import type { Plan } from '../plan/plan.ts';
import { type PlanOptions, planTypes } from '../plan/plan-types.ts';
import { parseLayers } from '../plan/prune-layers.ts';
import { ggmlType, readTensorTypes } from '../plan/tensor-types.ts';
import type { QuantizeFlagValues, WriteFlagValues } from './flags.ts';
import { requireOutputs } from './outputs.ts';

export interface QuantizePlanRequest {
  fileType: string;
  /** Where the file will stand: an importance matrix that is measured is kept beside it. */
  output: string;
  /** Of an input that is no GGUF yet. */
  converted?: Plan;
  keepSplit?: boolean;
  allowRequantize?: boolean;
  /** The caller has looked at the output: the size of the file is not that of the file type. */
  outputsChecked?: boolean;
  signal?: AbortSignal;
  /** Told of files that stay behind when the run is stopped, for the next one to go on with. */
  onUnfinished?: (...paths: string[]) => void;
}

type Flags = QuantizeFlagValues & WriteFlagValues;

export interface QuantizePlan {
  readonly plan: Plan;
  /** To be closed when the model is written. */
  readonly imatrix?: ImportanceSource;
}

/** What a plan is made with, besides the model and the file type. */
export interface PlanInputs {
  readonly options: PlanOptions;
  /** To be closed when the model is written. */
  readonly imatrix?: ImportanceSource;
}

/** @throws QuernError those of parsing flags, `openImportance`, `measureImportance` and `planTypes` */
export async function quantizePlan(view: ModelView, request: QuantizePlanRequest, flags: Flags): Promise<QuantizePlan> {
  const { options, imatrix } = await planInputs(view, request, flags);
  return { plan: planTypes(view, request.fileType, options), ...(imatrix && { imatrix }) };
}

/** The part of `quantizePlan` that reads and measures. */
export async function planInputs(view: ModelView, request: QuantizePlanRequest, flags: Flags): Promise<PlanInputs> {
  const options = await checkedOptions(view, request, flags);
  const imatrix = await imatrixOf(view, request, flags);
  return { options: { ...options, imatrix }, ...(imatrix && 'importanceOf' in imatrix && { imatrix }) };
}

/**
 * Finds what would stop `planInputs` and the writing after it, for callers that have long work to do before.
 * @returns what the plan will be made with, as far as is known
 */
export async function checkQuantizing(
  view: ModelView,
  request: QuantizePlanRequest,
  flags: Flags,
): Promise<PlanOptions> {
  const options = await checkedOptions(view, request, flags);
  const { include, exclude, file } = imatrixFlags(flags);
  if (flags.imatrix === undefined) return options;
  if (file === undefined) return { ...options, imatrix: allImportance(view, '') };
  const imatrix = await openImportance(file, view, { include, exclude });
  await imatrix.close();
  return { ...options, imatrix };
}

/** What can be wrong with flags and outputs shows here, before hours of measuring. */
async function checkedOptions(view: ModelView, request: QuantizePlanRequest, flags: Flags): Promise<PlanOptions> {
  const { fileType, converted, keepSplit, allowRequantize } = request;
  const options: PlanOptions = {
    converted,
    allowRequantize,
    keepOrder: keepSplit,
    pure: flags.pure,
    leaveOutputTensor: flags.leaveOutputTensor,
    tensorTypes: await readTensorTypes([
      ...(flags.tensorType ?? []),
      ...(flags.tensorTypeFile ?? []).map((file) => `@${file}`),
    ]),
    tokenEmbeddingType: flags.tokenEmbeddingType === undefined ? undefined : ggmlType(flags.tokenEmbeddingType),
    outputTensorType: flags.outputTensorType === undefined ? undefined : ggmlType(flags.outputTensorType),
    pruneLayers: flags.pruneLayers === undefined ? undefined : parseLayers(flags.pruneLayers),
    overrides: flags.overrideKv?.map(parseOverride),
  };
  const draft = planTypes(view, fileType, options);
  const { file, measured } = imatrixFlags(flags);
  if (flags.dryRun) return options;
  if (measured !== undefined) await requireOutputFile(measured, { flag: '--imatrix auto=' });
  if (!request.outputsChecked)
    await requireOutputs(view, draft, request.output, { ...flags, keepSplit }, file === undefined ? [] : [file]);
  return options;
}

/** Which file, if any, is there to be read, and which is to be measured under a name that the user gave. */
function imatrixFlags({ imatrix, includeWeights: include, excludeWeights: exclude }: Flags) {
  const auto = /^auto(?:=(.+))?$/s.exec(imatrix ?? '');
  return { include, exclude, auto, file: auto ? undefined : imatrix, measured: auto?.[1] };
}

async function imatrixOf(
  view: ModelView,
  { output, signal, onUnfinished }: QuantizePlanRequest,
  flags: Flags,
): Promise<ImportanceSource | PlannedImatrix | undefined> {
  const { dryRun, json } = flags;
  if (flags.imatrix === undefined) return undefined;
  const { include, exclude, auto, measured } = imatrixFlags(flags);
  let path = flags.imatrix;
  if (auto) {
    const { path: usual, there } = await measuredPath(view, output);
    path = measured ?? usual;
    if (there && measured === undefined) printNote(`Using ${path}, measured before.`);
    else if (dryRun) return notMeasuredYet(view, path);
    else {
      const progress = createProgress({ title: 'calibrate', unit: 'tokens', mode: progressMode({ json }) });
      const threads = parseCount('--threads', flags.threads, 1024);
      const { note: onNote, update: onProgress, finish } = progress;
      await measureImportance(view, path, { threads, signal, onUnfinished, onNote, onProgress }).finally(finish);
    }
  }
  const opened = await openImportance(path, view, { include, exclude });
  if (opened.unknown.length > 0)
    printNote(`note: ${path} has ${opened.unknown.length} entries for tensors that the model does not have.`);
  return opened;
}

/** A dry run measures nothing: it plans as if every matrix had been measured. */
function notMeasuredYet(view: ModelView, path: string): PlannedImatrix {
  printNote(`note: the importance matrix ${path} would be measured first.`);
  return allImportance(view, path);
}

function allImportance(view: ModelView, path: string): PlannedImatrix {
  const matrices = [...view.tensors.values()].filter(({ rows, name }) => rows > 1 && name !== 'token_embd.weight');
  return { path, datasets: [], chunkCount: 0, entries: new Map(matrices.map(({ name }) => [name, undefined])) };
}
