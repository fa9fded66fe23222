// quern calibrate: which columns of a model's weights matter on a text, as an importance matrix for quantizing.
import { mergeImatrices, type NamedMatrix, readImatrix, requireWritable, writeImatrix } from '@quern/calibration';
import { QuernError } from '@quern/errors';
import { type CommandContext, exitForUsage, expandFilePatterns, parseCount, runCommand } from '@quern/terminal';
import { Command, Option } from 'commander';
import { measure } from './measure.ts';
import { type CalibrateCommandOptions, requireUsage } from './options.ts';
import { report } from './report.ts';

const examples = `
Examples:
  $ quern calibrate llama-BF16.gguf                              on the text that comes with quern
  $ quern calibrate ./Llama-3.2-1B --text notes.txt --text mail.txt -o mine.gguf
  $ quern calibrate llama-BF16.gguf --text wiki.train.raw --chunks 100 --ctx 512
  $ quern calibrate --merge a.gguf b.gguf -o both.gguf           add up what was measured before
  $ quern calibrate --merge a.gguf --show-statistics             look into one

The file is llama.cpp's: llama-quantize reads it, and --merge reads what llama-imatrix wrote, old .dat files too. A run
that was stopped goes on where it was. Measure the unquantized model: it is what the quantized one should resemble.`;

export function calibrateCommand(): Command {
  return new Command('calibrate')
    .description('Measure an importance matrix: which columns of the weights matter on a text.')
    .argument('[model]', 'GGUF file, checkpoint folder or hub id')
    .addOption(
      new Option('-f, --text <file>', 'UTF-8 text to measure on; may be given again')
        .argParser((file: string, files: string[] = []) => [...files, file])
        .conflicts('recipe'),
    )
    .option('--recipe <name>', 'recipe that comes with quern, or a recipe file (.json) (default: default)')
    .option('-o, --output <file>', 'importance matrix to write (default: imatrix.gguf)')
    .addOption(
      new Option('--format <format>', 'llama.cpp writes gguf; dat is its older format')
        .choices(['gguf', 'dat'])
        .default('gguf'),
    )
    .option('-c, --ctx <tokens>', 'tokens per chunk (default: what the recipe says, or 512)')
    .option('--chunks <count>', 'measure at most this many chunks (default: what the recipe says, or all)')
    .option('--minimum-rows <count>', 'go on until every expert has seen this many tokens, or the text ends')
    .option('--process-output', 'measure output.weight too')
    .option('--parse-special', 'read special tokens written in the texts as such')
    .option('--merge <files...>', 'add importance matrices measured before')
    .option('--show-statistics', 'print figures of every weight')
    .option('-t, --threads <count>', 'CPU threads (default: all cores); the sums do not depend on it')
    .option('--save-every <seconds>', 'what a crash may cost', '60')
    .option('--force', 'replace an existing output file')
    .option('--json', 'print one JSON document on stdout, progress as JSON lines on stderr')
    .option('-q, --quiet', 'no progress')
    .addHelpText('after', examples)
    .exitOverride(exitForUsage)
    .action((model: string | undefined, options: CalibrateCommandOptions) =>
      runCommand((context) => run(model, options, context), options),
    );
}

async function run(
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
  const matrix = mergeImatrices(merge, parseCount('--ctx', options.ctx, 1 << 20));
  if (output !== undefined) await writeImatrix(output, matrix, format);
  return { matrix, output };
}
