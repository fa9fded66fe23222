// convert --mmproj: the vision and audio towers of the checkpoint as a file of their own, beside that of the text model.
import { QuernError } from '@quern/errors';
import {
  type ConversionType,
  type FileBeside,
  mmprojName,
  planConversion,
  requireOutputs,
  type WriteFlagValues,
} from '@quern/kquant';
import type { MmprojView } from '@quern/models';

/** @throws QuernError `usage-mmproj` */
export function checkMmprojUsage({ to, shard }: { to: string; shard?: string }): void {
  if (to === 'hf')
    throw new QuernError('usage-mmproj', '--mmproj means nothing with --to hf: towers are written as GGUF alone.');
  if (shard !== undefined)
    throw new QuernError('usage-mmproj', '--mmproj goes with a run that writes the whole model, not with --shard.', {
      remedy: 'Give it in a run without --shard.',
    });
}

/**
 * Towers are small and suffer from few bits: behind a quantized text model they keep the type of the checkpoint.
 * @param type that of the text model where it is one that towers may have
 * @throws QuernError those of `requireOutputs`
 */
export async function fileOfTowers(
  view: MmprojView,
  type: ConversionType,
  ref: string,
  output: string,
  flags: WriteFlagValues,
): Promise<FileBeside> {
  const plan = planConversion(view, type);
  const path = mmprojName(ref, output, plan.fileType);
  await requireOutputs(view, plan, path, flags);
  return { key: 'mmproj', view, plan, path };
}
