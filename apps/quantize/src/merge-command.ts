// quern merge: the parts that --shard wrote, or the files of a split model, into one file.
import { openGgufModel } from '@quern/checkpoint';
import { mergeParts, planTypes, writeModel } from '@quern/kquant';
import { outputFile, requireOutputFile } from '@quern/source';
import {
  type CommandContext,
  createProgress,
  expandFilePatterns,
  formatBytes,
  printJson,
  printLine,
  progressMode,
} from '@quern/terminal';

export interface MergeOptions {
  force?: boolean;
  json?: boolean;
}

export async function merge(given: string, named: readonly string[], options: MergeOptions, context: CommandContext) {
  const parts = expandFilePatterns(named);
  const { force, json } = options;
  const output = await outputFile(given, mergedName(parts[0]!), '<output.gguf>');
  await requireOutputFile(output, { inputs: parts, force, flag: '<output.gguf>' });
  const progress = createProgress({ title: 'merge', mode: progressMode({ json }) });
  const update = ({ done, total }: { done: number; total: number }) => progress.update({ done, total });
  const [first] = parts;
  const join = parts.length === 1 && first!.endsWith('.gguf') ? joinSplit : undefined;
  const fileBytes = await (join
    ? join(output, first!, { force, ...context, onProgress: update })
    : mergeParts(output, parts, { force, ...context, onProgress: update })
  ).finally(() => progress.finish());
  if (json) printJson({ path: output, fileBytes, partCount: parts.length });
  else printLine(`${output}: ${formatBytes(fileBytes)}`);
  return undefined;
}

/** In a folder that is named instead of a file: the name of the whole. */
const mergedName = (part: string): string =>
  part.replace(/\.part-[^/\\]*$/, '').replace(/-\d{5}-of-\d{5}\.gguf$/, '.gguf');

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
