// From the flags of a command to a plan, and to the importance matrix that writing it needs.
import type { ModelView } from '@quern/checkpoint';
import { createProgress, parseCount, printNote, progressMode } from '@quern/terminal';
import { measuredPath, measureImportance } from '../importance/measure-importance.ts';
import { type ImportanceSource, openImportance } from '../importance/open-importance.ts';
import type { PlannedImatrix } from '../plan/importance.ts';
import { parseOverride } from '../plan/override-metadata.ts';
import type { Plan } from '../plan/plan.ts';
import { type PlanOptions, planTypes } from '../plan/plan-types.ts';
import { parseLayers } from '../plan/prune-layers.ts';
import { ggmlType, readTensorTypes } from '../plan/tensor-types.ts';
import type { QuantizeFlagValues, WriteFlagValues } from './flags.ts';

export interface QuantizePlanRequest {
  fileType: string;
  /** Where the file will stand: an importance matrix that is measured is kept beside it. */
  output: string;
  /** Of an input that is no GGUF yet. */
  converted?: Plan;
  keepSplit?: boolean;
  allowRequantize?: boolean;
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
  // What is wrong with the flags should show before hours of measuring.
  planTypes(view, fileType, options);
  const imatrix = await imatrixOf(view, request, flags);
  return { options: { ...options, imatrix }, ...(imatrix && 'importanceOf' in imatrix && { imatrix }) };
}

async function imatrixOf(
  view: ModelView,
  { output, signal, onUnfinished }: QuantizePlanRequest,
  flags: Flags,
): Promise<ImportanceSource | PlannedImatrix | undefined> {
  const { imatrix, includeWeights: include, excludeWeights: exclude, dryRun, json } = flags;
  if (imatrix === undefined) return undefined;
  const auto = /^auto(?:=(.+))?$/s.exec(imatrix);
  let path = imatrix;
  if (auto) {
    const { path: usual, there } = await measuredPath(view, output);
    path = auto[1] ?? usual;
    if (there && !auto[1]) printNote(`Using ${path}, measured before.`);
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
  const matrices = [...view.tensors.values()].filter(({ rows, name }) => rows > 1 && name !== 'token_embd.weight');
  return { path, datasets: [], chunkCount: 0, entries: new Map(matrices.map(({ name }) => [name, undefined])) };
}
