// What `quern convert` and `quern quantize` do once they have a plan: show it, or write it and say what was written.
import type { ModelView } from '@quern/checkpoint';
import { createProgress, printJson, printLine, printNote, progressMode } from '@quern/terminal';
import type { Plan } from './plan/plan.ts';
import { refuseCompromises } from './plan/refusals.ts';
import { describePlan, describeTensors, describeWritten, planSummary } from './report.ts';
import { type WriteOptions, writeModel } from './write/write-model.ts';

export interface ReportOptions extends WriteOptions {
  /** `convert` or `quantize`: the title of the progress line. */
  title: string;
  /** Print the plan and write nothing. */
  dryRun?: boolean;
  /** One JSON document on stdout, progress as JSON lines on stderr. */
  json?: boolean;
}

/** @throws QuernError those of `writeModel`; with `strict` also before a dry run */
export async function writeAndReport(view: ModelView, plan: Plan, path: string, options: ReportOptions): Promise<void> {
  const { title, dryRun, json } = options;
  for (const note of view.notes ?? []) if (!json) printNote(`note: ${note}`);
  if (options.strict) refuseCompromises(plan, view.path);
  if (dryRun) {
    if (json) printJson({ path, notes: view.notes ?? [], ...planSummary(plan) });
    else printLine(`${describeTensors(plan)}\n\n${describePlan(plan)}\n${path}: not written (dry run)`);
    return;
  }
  const progress = createProgress({ title, mode: progressMode({ json }) });
  const result = await writeModel(view, plan, path, {
    ...options,
    onNote: progress.note,
    onProgress: ({ done, total, tensor }) => progress.update({ done, total, label: tensor }),
  }).finally(() => progress.finish());
  if (json) printJson({ notes: view.notes ?? [], ...planSummary(plan), ...result });
  else printLine(`${describePlan(plan)}\n${describeWritten(plan, result)}`);
}
