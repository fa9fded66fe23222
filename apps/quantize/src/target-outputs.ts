// What `quantize --target-…` writes beside the model, and what can stop it: looked at before anything is measured.
import type { AutomixResult, Target } from '@quern/automix';
import type { ModelView } from '@quern/checkpoint';
import { type PlanOptions, requireOutputNamed } from '@quern/kquant';
import { outputFile, requireDistinctOutputs, requireOutputFile, requireStateFile, writeWholeFile } from '@quern/source';
import { printNote } from '@quern/terminal';
import type { TargetOptions } from './quantize-to-target.ts';

export type Automix = typeof import('@quern/automix');

export interface TargetOutputs {
  /** Of --save-tensor-types. */
  readonly typesFile?: string;
  /** Of --sensitivity. */
  readonly sensitivity?: string;
}

/** @throws QuernError those of the places */
export async function checkTargetOutputs(output: string, options: TargetOptions): Promise<TargetOutputs> {
  const { force } = options;
  await requireOutputNamed(output, options);
  const place = async (flag: string, given: string | undefined, usual: string): Promise<string | undefined> =>
    given === undefined ? undefined : outputFile(given, usual, flag);
  const sensitivity = await place('--sensitivity', options.sensitivity, 'sensitivity.jsonl');
  const typesFile = await place('--save-tensor-types', options.saveTensorTypes, 'tensor-types.txt');
  requireDistinctOutputs({ '-o': output, '--sensitivity': sensitivity, '--save-tensor-types': typesFile });
  if (sensitivity !== undefined) await requireStateFile(sensitivity, { flag: '--sensitivity' });
  if (typesFile !== undefined) await requireOutputFile(typesFile, { force, flag: '--save-tensor-types' });
  return { typesFile, sensitivity };
}

/**
 * A target that cannot be reached, and a disk that cannot hold it, before an importance matrix is measured.
 * @throws QuernError those of `requireTarget` and `requireOutputFile`
 */
export async function checkTarget(
  view: ModelView,
  { target, output, planOptions }: { target: Target; output: string; planOptions: PlanOptions },
  { types, dryRun, shard, force }: TargetOptions,
  automix: Automix,
): Promise<void> {
  const size = await automix.requireTarget(view, { target, planOptions, types: typesOf(types) });
  const inputs = new Set([...view.tensors.values()].map(({ file }) => file));
  if (!dryRun && shard === undefined) await requireOutputFile(output, { inputs, size, force });
}

/** Of --types. */
export const typesOf = (list: string | undefined): string[] | undefined => list?.split(',').map((type) => type.trim());

/** Writes what --tensor-type-file reads. @throws QuernError those of `writeWholeFile` */
export async function saveTypes({ plan, sensitivities }: AutomixResult, file: string, automix: Automix): Promise<void> {
  const quantized = plan.tensors.filter(({ name }) => sensitivities.has(name));
  await writeWholeFile(file, new TextEncoder().encode(`${automix.tensorTypeLines(quantized).join('\n')}\n`));
  printNote(`${file}: for quern quantize --type ${plan.fileType} --tensor-type-file`);
}
