// `quern eval`: several models, one text or task file, one table. A model that fails does not lose the figures of the
// others.
import { QuernError } from '@quern/errors';
import { EvaluationJournal, type EvaluationSettings, mergeStates, perplexityOf, readState } from '@quern/perplexity';
import {
  type CommandContext,
  createProgress,
  exitCodeOf,
  exitCodes,
  expandFilePatterns,
  printJson,
  printLine,
  printNote,
  progressMode,
} from '@quern/terminal';
import { type OpenedBase, openBase } from './base.ts';
import { type EvaluateContext, evaluateModel } from './evaluate.ts';
import { nameWithAdapters } from './opened-model.ts';
import { evalOutputs } from './outputs.ts';
import { reportWriter } from './report/write-report.ts';
import { type EvalOptions, type EvalRequest, readRequest } from './request.ts';
import { type BaseResult, baseFigures, evaluationOf, type Outcome, type Results } from './results.ts';
import { statisticsText } from './statistics-text.ts';
import { isEvaluation, reportTables, tableText } from './table.ts';

/** @returns exit code */
export const evaluate = (models: readonly string[], options: EvalOptions, context: CommandContext): Promise<number> =>
  options.merge ? runMerge(models, options) : runEval(models, options, context);

async function runEval(named: readonly string[], options: EvalOptions, context: CommandContext): Promise<number> {
  const models = expandFilePatterns(named);
  const request = await readRequest(models, options);
  const report = await reportWriter(request.report, options.tensorErrors);
  const mode = progressMode(options);
  const { signal } = context;
  if (request.state !== undefined) context.onUnfinished(request.state);
  const base = await openBase(request, { mode, ...context });
  const journal = await EvaluationJournal.open(settingsOf(request, base), request.shard, request.state);
  const outcomes: Outcome[] = [];
  try {
    await base?.requirePlace(journal);
    // Without models, saving is all there is to do.
    if (models.length === 0) await base?.logProbs(journal);
    for (const model of models) {
      if (signal.aborted) break;
      const progress = createProgress({ title: `eval ${model}`, unit: 'tokens', mode });
      outcomes.push(await outcomeOf(model, { request, base, journal, ...context, progress, mode }));
    }
  } finally {
    await journal.close();
    await base?.close();
  }
  const finished = signal.aborted ? outcomes.filter(isEvaluation) : outcomes;
  const plan = base?.plan ?? request.plan;
  const hasWindows = base !== undefined || request.text !== undefined;
  const results: Results = {
    text: options.text,
    ...(hasWindows && {
      profile: plan.profile.name,
      contextTokens: plan.contextTokens,
      strideTokens: plan.strideTokens,
    }),
    shard: options.shard,
    activations: request.devices.activations ?? 'f32',
    base: baseResult(base, journal),
    models: finished,
  };
  print(results, options);
  if (signal.aborted && request.state === undefined) printNote('With --state FILE, what is measured is kept.');
  // Without the report: the same command goes on, and must not find a file in its place.
  if (signal.aborted) return exitCodes.interrupted;
  await report?.(results);
  const failed = outcomes.find((outcome) => 'failure' in outcome);
  return failed ? exitCodeOf(failed.failure) : exitCodes.ok;
}

async function outcomeOf(model: string, context: EvaluateContext): Promise<Outcome> {
  const { progress, signal } = context;
  try {
    const name = nameWithAdapters(model, context.request.adapters);
    return evaluationOf(name, await evaluateModel(model, context));
  } catch (error) {
    const failure = error instanceof QuernError ? error : new QuernError('internal', String(error), { cause: error });
    if (!signal.aborted) progress.note(`${model}: ${failure.describe()}`);
    return { model, failure };
  } finally {
    progress.finish();
  }
}

function settingsOf(
  { plan: own, text, tasks, devices, cacheTypes, override }: EvalRequest,
  base: OpenedBase | undefined,
): EvaluationSettings {
  const plan = base?.plan ?? own;
  const hasWindows = base !== undefined || text !== undefined;
  return {
    profile: hasWindows ? plan.profile.name : null,
    contextTokens: hasWindows ? plan.contextTokens : null,
    strideTokens: plan.strideTokens ?? null,
    maxWindows: plan.maxWindows ?? null,
    text: base?.sha256 ?? text?.sha256 ?? null,
    base: base?.identity ?? null,
    activations: devices.activations ?? 'f32',
    cacheTypes: cacheTypes.k === 'F32' && cacheTypes.v === 'F32' ? null : `${cacheTypes.k} ${cacheTypes.v}`,
    override: override ? JSON.stringify(override) : null,
    tasks: Object.fromEntries(tasks.map((set) => [set.name, { sha256: set.sha256, count: set.tasks.length }])),
  };
}

function baseResult(base: OpenedBase | undefined, { state }: EvaluationJournal): BaseResult | undefined {
  if (!base) return undefined;
  const own = [...state.models.values()].find(({ model, windows }) => model === base.name && windows.size > 0);
  // What the models were compared with first: of a base that was saved in 16 bits, the ratios and this row are of one base.
  const figures = baseFigures(state) ?? (own && perplexityOf([...own.windows.values()]));
  return figures && { model: base.name, size: base.opened?.size, ...figures };
}

async function runMerge(models: readonly string[], options: EvalOptions): Promise<number> {
  if (models.length > 0) throw new QuernError('usage-merge-models', '--merge measures nothing: name state files only.');
  const outputs = await evalOutputs([], options);
  const report = await reportWriter(outputs.report, options.tensorErrors);
  const parts = [];
  for (const file of expandFilePatterns(options.merge!)) parts.push({ file, state: await readState(file) });
  const state = mergeStates(parts);
  const { profile, contextTokens, strideTokens, base } = state.settings;
  const figures = baseFigures(state);
  const results: Results = {
    ...(profile !== null && { profile, contextTokens: contextTokens!, strideTokens: strideTokens ?? undefined }),
    base: base === null || !figures ? undefined : { model: 'base', ...figures },
    models: [...state.models.values()].map((record) => evaluationOf(record.model, { record })),
  };
  print(results, options);
  await report?.(results);
  return exitCodes.ok;
}

const activationsText = {
  f32: 'Activations were not rounded; --activations int8 computes as serve and llama.cpp do.',
  int8: 'Activations were rounded to 8 bits where weights are quantized, as in serve and llama.cpp.',
} as const;

function print(results: Results, { json, statistics }: EvalOptions): void {
  const { activations } = results;
  if (json) {
    printJson(results);
    return;
  }
  const tables = reportTables(results);
  if (tables.length === 0) return;
  printLine(tables.map(tableText).join('\n\n'));
  if (activations !== undefined) printNote(activationsText[activations]);
  if (!statistics) return;
  for (const { model, divergence } of results.models.filter(isEvaluation))
    if (divergence) printLine(`\n${model}\n${statisticsText(divergence)}`);
}
