// Files that `quern eval` writes, looked at before a model is opened.
import { outputFile, requireDistinctOutputs, requireOutputFile, requireStateFile } from '@quern/source';
import type { EvalOptions } from './request.ts';

export interface EvalOutputs {
  readonly report?: string;
  readonly saveBase?: string;
  readonly state?: string;
}

/** @throws QuernError `usage-output`, those of `requireOutputFile` and `requireStateFile` */
export async function evalOutputs(models: readonly string[], options: EvalOptions): Promise<EvalOutputs> {
  const { text, base, baseFile, hellaswag, winogrande, multipleChoice, tensorErrors = [], merge = [], force } = options;
  const named = [text, base, baseFile, hellaswag, winogrande, multipleChoice];
  const inputs = [...models, ...named.filter((file) => file !== undefined), ...tensorErrors, ...merge];
  const place = async (flag: string, given: string | undefined, usual: string): Promise<string | undefined> =>
    given === undefined ? undefined : outputFile(given, usual, flag);
  const report = await place('--report', options.report, 'report.html');
  const saveBase = await place('--save-base', options.saveBase, 'base.kld');
  const state = await place('--state', options.state, 'eval-state.jsonl');
  requireDistinctOutputs({ '--report': report, '--save-base': saveBase, '--state': state });
  if (report !== undefined) await requireOutputFile(report, { inputs, force, flag: '--report' });
  // A state may tell that the base file is its own, complete: that is seen when the base is open.
  if (saveBase !== undefined)
    await requireOutputFile(saveBase, { inputs, force: force || state !== undefined, flag: '--save-base' });
  if (state !== undefined) await requireStateFile(state, { inputs });
  return { ...(report && { report }), ...(saveBase && { saveBase }), ...(state && { state }) };
}
