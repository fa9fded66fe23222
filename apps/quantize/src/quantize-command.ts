// quern quantize: a GGUF file to a smaller one, with the bytes of llama-quantize; or a checkpoint folder of packed weights.
import { stat } from 'node:fs/promises';
import { type ModelView, openGgufModel } from '@quern/checkpoint';
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
import { type CommandContext, exitForUsage, runCommand } from '@quern/terminal';
import { Command, Option } from 'commander';
import { type LayerFlagValues, layerFlags, layerTypeOf, layerTypes, strangeLayerFlags } from './layer-flags.ts';
import { quantizeLayers } from './quantize-layers.ts';
import { quantizeToTarget } from './quantize-to-target.ts';
import { type ScaledModel, scaledModel } from './scaled-model.ts';
import { hasTarget, refuseWithoutTarget, type TargetFlagValues, targetFlags } from './target-flags.ts';

interface QuantizeOptions extends QuantizeFlagValues, WriteFlagValues, TargetFlagValues, LayerFlagValues {
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
  $ quern quantize ./Llama-3.2-1B --type awq -o ./Llama-3.2-1B-AWQ              activation-aware, 4 bits, for vLLM
  $ quern quantize ./Llama-3.2-1B --type Q4_K_M --awq-scales -o small.gguf     the same scales for a GGUF type
  $ quern quantize ./Llama-3.2-1B --type gptq --group-size 64 --calibration mine.json -o ./Llama-3.2-1B-GPTQ

The output is written as <output>.partial and renamed when complete. A run that was stopped goes on where it was.`;

export function quantizeCommand(): Command {
  const command = new Command('quantize')
    .description(
      `Quantize a model. To GGUF: ${fileTypes.map(({ name }) => name).join(', ')}. To a checkpoint folder: awq, gptq, rtn.`,
    )
    .argument('<model>', 'GGUF file, of a split model any part; for awq, gptq, rtn and targets also a folder or hub id')
    .option('-t, --type <type>', 'file type to write, e.g. Q4_K_M')
    .option(
      '-o, --output <file>',
      'output file, or folder of awq, gptq, rtn (default: named after the type; a file of a GGUF input beside it)',
    )
    .option('--allow-requantize', 'accept an input that is already quantized, which loses more')
    .option('--keep-split', 'write as many files as the input has');
  for (const flag of [...targetFlags, ...layerFlags, ...quantizeFlags, ...writeFlags])
    command.addOption(optionOf(flag));
  return command
    .addHelpText('after', examples)
    .exitOverride(exitForUsage)
    .action((input: string, options: QuantizeOptions) =>
      runCommand((context) => actionOf(options)(input, options, context), options),
    );
}

type Action = (input: string, options: QuantizeOptions, context: CommandContext) => Promise<number | undefined>;

function actionOf(options: QuantizeOptions): Action {
  if (hasTarget(options)) return toTarget;
  const type = layerTypeOf(options.type);
  if (type === undefined) return quantize;
  refuseWithoutTarget(options);
  return (input, given, context) => quantizeLayers(type, input, given, context);
}

function optionOf({ flags, description, repeatable, choices, default: usual }: Flag): Option {
  const option = new Option(flags, description);
  if (choices) option.choices(choices);
  if (repeatable) option.argParser((value: string, before: string[] = []) => [...before, value]);
  return option.default(usual);
}

async function quantize(input: string, options: QuantizeOptions, context: CommandContext): Promise<number | undefined> {
  if (options.type === undefined)
    throw new QuernError('usage-no-type', 'Say what to write: --type, --target-bpw or --target-size.', {
      remedy: 'For example --type Q4_K_M.',
    });
  refuseWithoutTarget(options);
  refuseLayerFlags(options);
  const fileType = fileTypeNamed(options.type, layerTypes).name;
  const { keepSplit, allowRequantize } = options;
  const { awqScales } = options;
  const {
    view: model,
    output,
    converted,
  }: ScaledModel = awqScales === undefined
    ? { view: await openGgufInput(input, fileType), output: options.output ?? quantizedName(input, fileType) }
    : await scaledModel(input, fileType, { ...options, awqScales }, context);
  try {
    const request = { fileType, output, converted, keepSplit, allowRequantize, ...context };
    const { plan, imatrix } = await quantizePlan(model, request, options);
    try {
      return await writeAndReport(model, plan, output, { ...options, title: 'quantize', imatrix, ...context });
    } finally {
      await imatrix?.close();
    }
  } finally {
    await model.close();
  }
}

/** @throws QuernError `source-not-a-file` with the command that takes folders, and those of `openGgufModel` */
async function openGgufInput(input: string, fileType: string): Promise<ModelView> {
  if ((await stat(input).catch(() => undefined))?.isDirectory())
    throw new QuernError('source-not-a-file', 'The input is a folder, and GGUF types are made from a GGUF file.', {
      file: input,
      remedy: `quern convert ${input} --type ${fileType} makes one of the folder.`,
    });
  return openGgufModel(input);
}

/** @throws QuernError `usage-not-for-type` */
function refuseLayerFlags(options: QuantizeOptions): void {
  const [strange] = strangeLayerFlags(options, undefined);
  if (strange !== undefined)
    throw new QuernError('usage-not-for-type', `${strange} means nothing with --type ${options.type}.`, {
      remedy: 'Drop it, or choose awq, gptq or rtn.',
    });
}

async function toTarget(input: string, options: QuantizeOptions, context: CommandContext): Promise<number | undefined> {
  for (const [flag, value] of [
    ['--type', options.type],
    ['--keep-split', options.keepSplit],
  ])
    if (value !== undefined) throw new QuernError('usage-target', `${flag} does not go with a target.`);
  return quantizeToTarget(input, options, context);
}
