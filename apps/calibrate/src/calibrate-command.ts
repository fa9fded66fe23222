// quern calibrate: which columns of a model's weights matter on a text, as an importance matrix for quantizing.
import { mergeImatrices, type NamedMatrix, readImatrix, writeImatrix } from '@quern/calibration';
import { QuernError } from '@quern/errors';
import { outputFile, requireOutputFile } from '@quern/source';
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
  const output = await outputOf(model, options);
  const merge: NamedMatrix[] = [];
  for (const file of expandFilePatterns(options.merge ?? [])) merge.push({ file, matrix: await readImatrix(file) });
  // A model is measured into a file; merging may be for looking alone.
  if (model !== undefined) report(await measure(model, merge, output!, options, context), options);
  else report(await onlyMerge(merge, output, options), options);
}

/**
 * Where the matrix goes; undefined: nowhere, it is only looked at.
 * @throws QuernError `usage-no-output`, those of `requireOutputFile`
 */
async function outputOf(model: string | undefined, options: CalibrateCommandOptions): Promise<string | undefined> {
  const { output: given, force, text = [], merge = [], showStatistics, format } = options;
  if (model === undefined && given === undefined) {
    if (showStatistics) return undefined;
    throw new QuernError('usage-no-output', 'Merging needs --output, or --show-statistics to look only.');
  }
  const output = await outputFile(given, format === 'dat' ? 'imatrix.dat' : 'imatrix.gguf');
  await requireOutputFile(output, { inputs: [...text, ...expandFilePatterns(merge)], force });
  return output;
}

/** Without a model: one file out of several, or figures alone. */
async function onlyMerge(merge: readonly NamedMatrix[], output: string | undefined, options: CalibrateCommandOptions) {
  const { format } = options;
  const matrix = mergeImatrices(merge, parseCount('--ctx-size', options.ctxSize, 1 << 20));
  if (output !== undefined) await writeImatrix(output, matrix, format);
  return { matrix, output };
}
