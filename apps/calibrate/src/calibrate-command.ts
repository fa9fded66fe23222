// quern calibrate: which columns of a model's weights matter on a text, as an importance matrix for quantizing.
import { mergeImatrices, type NamedMatrix, readImatrix, requireWritable, writeImatrix } from '@quern/calibration';
import { QuernError } from '@quern/errors';
import { type CommandContext, expandFilePatterns, parseCount } from '@quern/terminal';
import { measure } from './measure.ts';
import { type CalibrateCommandOptions, requireUsage } from './options.ts';
import { report } from './report.ts';

export async function calibrate(
  model: string | undefined,
  options: CalibrateCommandOptions,
  context: CommandContext,
): Promise<undefined> {
  requireUsage(model, options);
  const merge: NamedMatrix[] = [];
  for (const file of expandFilePatterns(options.merge ?? [])) merge.push({ file, matrix: await readImatrix(file) });
  if (model !== undefined) report(await measure(model, merge, options, context), options);
  else report(await onlyMerge(merge, options), options);
}

/** Without a model: one file out of several, or figures alone. */
async function onlyMerge(merge: readonly NamedMatrix[], options: CalibrateCommandOptions) {
  const { format, output } = options;
  if (output === undefined && !options.showStatistics)
    throw new QuernError('usage-no-output', 'Merging needs --output, or --show-statistics to look only.');
  if (output !== undefined) await requireWritable(output, options);
  const matrix = mergeImatrices(merge, parseCount('--ctx-size', options.ctxSize, 1 << 20));
  if (output !== undefined) await writeImatrix(output, matrix, format);
  return { matrix, output };
}
