// quern quantize: a GGUF file to a smaller one, with the bytes of llama-quantize.
import { openGgufModel } from '@quern/checkpoint';
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

interface QuantizeOptions extends QuantizeFlagValues, WriteFlagValues {
  type: string;
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

The output is written as <output>.partial and renamed when complete. A run that was stopped goes on where it was.`;

export function quantizeCommand(): Command {
  const command = new Command('quantize')
    .description(`Quantize a GGUF model. Types: ${fileTypes.map(({ name }) => name).join(', ')}.`)
    .argument('<model.gguf>', 'the input; of a split model any part')
    .requiredOption('-t, --type <type>', 'file type to write, e.g. Q4_K_M')
    .option('-o, --output <file>', 'output file (default: beside the input, named after the type)')
    .option('--allow-requantize', 'accept an input that is already quantized, which loses more')
    .option('--keep-split', 'write as many files as the input has');
  for (const flag of [...quantizeFlags, ...writeFlags]) command.addOption(optionOf(flag));
  return command
    .addHelpText('after', examples)
    .exitOverride(exitForUsage)
    .action((input: string, options: QuantizeOptions) =>
      runCommand(({ signal }) => quantize(input, options, signal), options),
    );
}

function optionOf({ flags, description, repeatable, choices, default: usual }: Flag): Option {
  const option = new Option(flags, description);
  if (choices) option.choices(choices);
  if (repeatable) option.argParser((value: string, before: string[] = []) => [...before, value]);
  return option.default(usual);
}

async function quantize(input: string, options: QuantizeOptions, signal: AbortSignal): Promise<number | undefined> {
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
