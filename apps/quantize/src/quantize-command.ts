// quern quantize: a GGUF file to a smaller one, with the bytes of llama-quantize.
import { openGgufModel } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import {
  type Flag,
  fileTypeNamed,
  fileTypes,
  type QuantizeFlagValues,
  quantizedName,
  quantizeFlags,
  quantizePlan,
  type WriteFlagValues,
  writeAndReport,
  writeFlags,
} from '@quern/kquant';
import { exitForUsage, runCommand } from '@quern/terminal';
import { Command, Option } from 'commander';
import { quantizeToTarget } from './quantize-to-target.ts';
import { hasTarget, refuseWithoutTarget, type TargetFlagValues, targetFlags } from './target-flags.ts';

interface QuantizeOptions extends QuantizeFlagValues, WriteFlagValues, TargetFlagValues {
  type?: string;
  output?: string;
  allowRequantize?: boolean;
  keepSplit?: boolean;
}

const examples = `
Examples:
  $ quern quantize model-BF16.gguf --type Q4_K_M
  $ quern quantize model-BF16.gguf --type Q6_K -o small.gguf --threads 8
  $ quern quantize model-BF16.gguf --type IQ2_M --imatrix imatrix.gguf
  $ quern quantize model-BF16.gguf --type Q4_K_M --imatrix auto --verify 0.2
  $ quern quantize model-BF16.gguf --type Q4_K_M --tensor-type 'attn_v=Q8_0' --tensor-type 'blk.[0-3].ffn_down=Q6_K'
  $ quern quantize model-BF16.gguf --type Q4_K_M --dry-run     what would be written, tensor by tensor
  $ quern quantize model-BF16.gguf --type Q4_K_M --strict      refuse (exit 3) if a tensor must fall back to another type
  $ quern quantize ./Llama-3.2-1B --target-bpw 4.5 --imatrix auto -o small.gguf   types per tensor, chosen by measuring
  $ quern quantize model-BF16.gguf --target-size Q4_K_M         the best mixture of the size that Q4_K_M has

The output is written as <output>.partial and renamed when complete. A run that was stopped goes on where it was.`;

export function quantizeCommand(): Command {
  const command = new Command('quantize')
    .description(`Quantize a GGUF model. Types: ${fileTypes.map(({ name }) => name).join(', ')}.`)
    .argument('<model>', 'a GGUF file, of a split model any part; with a target also a checkpoint folder or hub id')
    .option('-t, --type <type>', 'file type to write, e.g. Q4_K_M')
    .option('-o, --output <file>', 'output file (default: beside the input, named after the type)')
    .option('--allow-requantize', 'accept an input that is already quantized, which loses more')
    .option('--keep-split', 'write as many files as the input has');
  for (const flag of [...targetFlags, ...quantizeFlags, ...writeFlags]) command.addOption(optionOf(flag));
  return command
    .addHelpText('after', examples)
    .exitOverride(exitForUsage)
    .action((input: string, options: QuantizeOptions) =>
      runCommand(({ signal }) => (hasTarget(options) ? toTarget : quantize)(input, options, signal), options),
    );
}

function optionOf({ flags, description, repeatable, choices, default: usual }: Flag): Option {
  const option = new Option(flags, description);
  if (choices) option.choices(choices);
  if (repeatable) option.argParser((value: string, before: string[] = []) => [...before, value]);
  return option.default(usual);
}

async function quantize(input: string, options: QuantizeOptions, signal: AbortSignal): Promise<number | undefined> {
  if (options.type === undefined)
    throw new QuernError('usage-no-type', 'Say what to write: --type, --target-bpw or --target-size.', {
      remedy: 'For example --type Q4_K_M.',
    });
  refuseWithoutTarget(options);
  const fileType = fileTypeNamed(options.type).name;
  const { keepSplit, allowRequantize } = options;
  const output = options.output ?? quantizedName(input, fileType);
  const model = await openGgufModel(input);
  try {
    const request = { fileType, output, keepSplit, allowRequantize, signal };
    const { plan, imatrix } = await quantizePlan(model, request, options);
    try {
      return await writeAndReport(model, plan, output, { ...options, title: 'quantize', imatrix, signal });
    } finally {
      await imatrix?.close();
    }
  } finally {
    await model.close();
  }
}

async function toTarget(input: string, options: QuantizeOptions, signal: AbortSignal): Promise<number | undefined> {
  for (const [flag, value] of [
    ['--type', options.type],
    ['--keep-split', options.keepSplit],
  ])
    if (value !== undefined) throw new QuernError('usage-target', `${flag} does not go with a target.`);
  return quantizeToTarget(input, options, signal);
}
