// The files that a command is going to write, refused before it works: first by name alone, before a model is fetched or
// opened; then with the model and the plan, which tell the inputs, the sizes and the number of files.
import type { ModelView } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import { requireFolderAbove, requireOutputFile } from '@quern/source';
import { parseCount } from '@quern/terminal';
import { splitName, splitPlan } from '../plan/keep-split.ts';
import type { Plan } from '../plan/plan.ts';
import { defaultBound } from '../verify/verify-model.ts';
import { partName } from '../write/part-file.ts';
import { parseShard } from '../write/shard.ts';
import { layoutOf } from '../write/write-model.ts';
import type { WriteFlagValues } from './flags.ts';

/** What decides the files, besides plan and path. */
export interface OutputFlags extends Pick<WriteFlagValues, 'force' | 'shard' | 'dryRun'> {
  /** Write as many files as the input has. */
  keepSplit?: boolean;
}

export interface PlannedFile {
  readonly plan: Plan;
  readonly path: string;
}

/** One; with `keepSplit` as many as the input has; with `shard` the part. */
export function plannedFiles(view: ModelView, plan: Plan, path: string, flags: OutputFlags): PlannedFile[] {
  if (flags.shard !== undefined) {
    const { index, count } = parseShard(flags.shard);
    return [{ plan, path: partName(path, index, count) }];
  }
  if (!flags.keepSplit) return [{ plan, path }];
  const parts = splitPlan(plan, (name) => view.tensors.get(name)!.file);
  return parts.map((part, no) => ({ plan: part, path: splitName(path, no, parts.length) }));
}

/** @throws QuernError those of `requireOutputFile` */
export async function requireOutputNamed(
  path: string,
  { dryRun, shard, keepSplit, force }: OutputFlags,
): Promise<void> {
  if (dryRun) return;
  // Files of other names are written, and a part that is complete is left as it is.
  if (shard !== undefined || keepSplit) return requireFolderAbove(path);
  return requireOutputFile(path, { force });
}

/**
 * @param inputs files that are read besides the model's
 * @throws QuernError those of `requireOutputFile`
 */
export async function requireOutputs(
  view: ModelView,
  plan: Plan,
  path: string,
  flags: OutputFlags,
  inputs: readonly string[] = [],
): Promise<void> {
  if (flags.dryRun) return;
  if (flags.shard !== undefined) return requireFolderAbove(path);
  const read = new Set([...[...view.tensors.values()].map(({ file }) => file), ...inputs]);
  const files = plannedFiles(view, plan, path, flags);
  // Of several files the whole size must fit, whichever is asked about.
  const size = files.reduce((sum, file) => sum + layoutOf(file.plan).fileBytes, 0);
  for (const file of files) await requireOutputFile(file.path, { inputs: read, size, force: flags.force });
}

/**
 * What can be wrong with the flags of writing alone.
 * @throws QuernError `usage-shard`, `usage-verify`, `usage-bad-number`
 */
export function checkWriteFlags(flags: WriteFlagValues & OutputFlags): void {
  parseCount('--threads', flags.threads, 1024);
  const bound = verifyBound(flags);
  if (flags.shard === undefined) return;
  parseShard(flags.shard);
  if (flags.keepSplit || bound !== undefined)
    throw new QuernError('usage-shard', '--shard goes with neither --keep-split nor --verify.', {
      remedy: 'quern merge joins the parts of one file; verify the result.',
    });
}

/** Undefined without --verify. */
export function verifyBound({ verify }: WriteFlagValues): number | undefined {
  if (verify === undefined || verify === false) return undefined;
  if (verify === true) return defaultBound;
  const bound = Number(verify);
  if (verify.trim() !== '' && bound > 0 && Number.isFinite(bound)) return bound;
  throw new QuernError('usage-verify', `--verify takes a number above 0, not '${verify}'.`);
}
