// quern merge: the parts that --shard wrote, or the files of a split model, into one file.
import { openGgufModel } from '@quern/checkpoint';
import { mergeParts, planTypes, writeModel } from '@quern/kquant';
import {
  type CommandContext,
  createProgress,
  exitForUsage,
  expandFilePatterns,
  formatBytes,
  printJson,
  printLine,
  progressMode,
  runCommand,
} from '@quern/terminal';
import { Command } from 'commander';

interface MergeOptions {
  force?: boolean;
  json?: boolean;
}

const examples = `
Examples:
  $ quern merge model-Q4_K_M.gguf model-Q4_K_M.gguf.part-*     what quern quantize --shard 1/8 … 8/8 wrote
  $ quern merge model.gguf model-00001-of-00003.gguf           the files of a split model

The parts give the file of a single run, byte for byte. All of them must come from the same command and input.`;

export function mergeCommand(): Command {
  return new Command('merge')
    .description('Put the parts of --shard together, or join a split GGUF model.')
    .argument('<output.gguf>', 'file to write')
    .argument('<parts...>', 'all parts in any order; or any file of a split model')
    .option('--force', 'replace an existing output file')
    .option('--json', 'print one JSON document on stdout, progress as JSON lines on stderr')
    .addHelpText('after', examples)
    .exitOverride(exitForUsage)
    .action((output: string, parts: string[], options: MergeOptions) =>
      runCommand((context) => merge(output, parts, options, context), options),
    );
}

async function merge(output: string, named: readonly string[], options: MergeOptions, context: CommandContext) {
  const parts = expandFilePatterns(named);
  const { force, json } = options;
  const progress = createProgress({ title: 'merge', mode: progressMode({ json }) });
  const update = ({ done, total }: { done: number; total: number }) => progress.update({ done, total });
  const [first] = parts;
  const join = parts.length === 1 && first!.endsWith('.gguf') ? joinSplit : undefined;
  const fileBytes = await (join
    ? join(output, first!, { force, ...context, onProgress: update })
    : mergeParts(output, parts, { force, ...context, onProgress: update })
  ).finally(() => progress.finish());
  if (json) printJson({ path: output, fileBytes, parts: parts.length });
  else printLine(`${output}: ${formatBytes(fileBytes)}`);
  return undefined;
}

type JoinOptions = Pick<
  NonNullable<Parameters<typeof writeModel>[3]>,
  'force' | 'signal' | 'onUnfinished' | 'onProgress'
>;

/** Tensors in the order of the files, as they are. */
async function joinSplit(output: string, file: string, options: JoinOptions): Promise<number> {
  const model = await openGgufModel(file);
  try {
    const plan = planTypes(model, 'COPY', { keepOrder: true });
    return (await writeModel(model, plan, output, { ...options, allowNonFinite: true })).fileBytes;
  } finally {
    await model.close();
  }
}
