// One model: opened, told apart, loaded when something is left to measure, measured, released.
import { hyperparameters, type Model, type Placement } from '@quern/models';
import {
  countWindows,
  type EvaluationJournal,
  evaluateWindows,
  figuresOf,
  longestSequence,
  type ModelRecord,
  Moments,
  modelFingerprint,
  type PreparedTask,
  perplexityTokens,
  prepareTasks,
  scoreTask,
  shardRange,
  TargetScorer,
  type TaskName,
  tasksOf,
  type WindowScores,
} from '@quern/perplexity';
import { type CommandContext, createProgress, type Progress, type ProgressMode } from '@quern/terminal';
import type { OpenedBase } from './base.ts';
import { type OpenedModel, openNamedModel, startModel } from './opened-model.ts';
import type { EvalRequest } from './request.ts';

export interface EvaluateContext extends CommandContext {
  readonly request: EvalRequest;
  readonly base?: OpenedBase;
  readonly journal: EvaluationJournal;
  readonly progress: Progress;
  readonly mode: ProgressMode;
}

export interface Measured {
  readonly record: ModelRecord;
  /** Where the model was, with a line for people; undefined when nothing was left to compute. */
  readonly devices?: Placement & { readonly summary: string };
  /** Of the windows computed now; undefined when all were known. */
  readonly seconds?: number;
  /** Tokens that went through the model, per second. */
  readonly tokensPerSecond?: number;
  /** Stopped by the user: the record holds what was measured until then. */
  readonly interrupted?: boolean;
}

export async function evaluateModel(name: string, context: EvaluateContext): Promise<Measured> {
  const opened = await openNamedModel(name, context.mode, context, context.request);
  try {
    context.base?.requireComparable(opened);
    const job = await prepare(opened, context);
    if (isComplete(job, context)) return { record: job.record };
    return await measure(opened, job, context).catch((error): Measured => {
      const { windows, tasks } = job.record;
      if (!context.signal.aborted || windows.size + tasks.size === 0) throw error;
      return { record: job.record, interrupted: true };
    });
  } finally {
    await opened.close();
  }
}

interface Job {
  readonly record: ModelRecord;
  /** Undefined when only tasks are asked for. */
  readonly ids?: Int32Array;
  readonly windows: number;
  /** Windows that need not be computed. */
  readonly done: ReadonlyMap<number, WindowScores>;
  readonly tasks: ReadonlyMap<TaskName, readonly PreparedTask[]>;
}

async function prepare(opened: OpenedModel, { request, base, journal, progress }: EvaluateContext): Promise<Job> {
  const { text } = request;
  const plan = base?.plan ?? request.plan;
  const ids = base?.ids ?? (text && perplexityTokens(opened.tokenizer, text.bytes, text.file, plan.profile));
  const windows = ids ? countWindows(ids.length, plan, text?.file) : 0;
  const tasks = new Map(request.tasks.map((set) => [set.name, prepareTasks(set, opened.tokenizer)]));
  const { contextLength } = hyperparameters(opened.view);
  if (ids && plan.contextTokens > contextLength)
    progress.note(`${opened.name}: trained on ${contextLength} tokens of context; evaluated at ${plan.contextTokens}.`);
  const fingerprint = await modelFingerprint(opened.view, opened.adapters);
  const record = await journal.record(opened.name, fingerprint, { ...opened.size, windows });
  // A base that was saved is known without comparisons.
  const done = new Map([...record.windows].filter(([, scores]) => !base || scores.comparison));
  return { record, ids, windows, done, tasks };
}

function isComplete({ windows, done, tasks, record }: Job, { request: { shard } }: EvaluateContext): boolean {
  const covers = (total: number, found: ReadonlyMap<number, unknown>): boolean => {
    const [first, end] = shardRange(total, shard);
    for (let index = first; index < end; index++) if (!found.has(index)) return false;
    return true;
  };
  return covers(windows, done) && [...tasks].every(([name, list]) => covers(list.length, tasksOf(record, name)));
}

async function measure(opened: OpenedModel, job: Job, context: EvaluateContext): Promise<Measured> {
  const { request, base } = context;
  const plan = base?.plan ?? request.plan;
  const longest = Math.max(0, ...[...job.tasks.values()].map(longestSequence));
  const cells = Math.max(job.ids ? plan.contextTokens : 0, longest);
  const { model, summary, dispose } = await startModel(opened, cells, request.devices, request.cacheTypes);
  if (context.mode !== 'silent') context.progress.note(`${opened.name}: ${summary}`);
  try {
    const speed = job.ids ? await measureWindows(model, opened, job, context) : {};
    await measureTasks(model, job, context);
    return { record: job.record, devices: { summary, ...model.placement }, ...speed };
  } finally {
    await dispose();
  }
}

async function measureWindows(model: Model, opened: OpenedModel, job: Job, context: EvaluateContext) {
  const { request, base, journal, signal, progress } = context;
  const plan = base?.plan ?? request.plan;
  const { contextTokens } = plan;
  const [first, end] = shardRange(job.windows, request.shard);
  const known = new Moments();
  for (let index = first; index < end; index++) known.addAll(job.done.get(index)?.nll ?? []);
  const logProbs = await base?.logProbs(journal);
  const start = performance.now();
  let computed = 0;
  await evaluateWindows(model, job.ids!, plan, {
    bos: base?.opened ? base.opened.bos : opened.bos,
    base: logProbs,
    shard: request.shard,
    done: job.done,
    signal,
    async onWindow(index, scores) {
      await journal.addWindow(job.record, index, scores);
      computed++;
      const label = `PPL ${figuresOf(known.addAll(scores.nll)).ppl.toFixed(4)}`;
      progress.update({ done: (index + 1 - first) * contextTokens, total: (end - first) * contextTokens, label });
    },
  });
  const seconds = (performance.now() - start) / 1000;
  if (computed === 0) return {};
  return { seconds, tokensPerSecond: (computed * (contextTokens - 1)) / seconds };
}

async function measureTasks(model: Model, { record, tasks }: Job, context: EvaluateContext): Promise<void> {
  const { request, journal, signal, mode } = context;
  const scorer = new TargetScorer(model);
  try {
    for (const [name, list] of tasks) {
      const [first, end] = shardRange(list.length, request.shard);
      const done = tasksOf(record, name);
      const progress = createProgress({ title: `eval ${record.model}`, unit: 'tasks', mode });
      for (let index = first; index < end; index++) {
        if (done.has(index)) continue;
        signal.throwIfAborted();
        await journal.addTask(record, name, index, await scoreTask(model, scorer, list[index]!, signal));
        progress.update({ done: index + 1 - first, total: end - first, label: name });
      }
      progress.finish();
    }
  } finally {
    scorer.dispose();
  }
}
