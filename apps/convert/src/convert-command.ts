// quern convert: a Hugging Face checkpoint to GGUF, with the bytes of convert_hf_to_gguf.py; to a quantized type in the
// same pass, with the bytes of converting and quantizing one after the other. With --to hf (to-hugging-face.ts) the other
// way, from GGUF or from a checkpoint of any kind of weights.

import { type Located, locateCheckpoint, withProvedForms } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import {
  conversionType,
  convertedName,
  type Flag,
  fileTypeNamed,
  fileTypes,
  planConversion,
  type QuantizeFlagValues,
  quantizeFlags,
  quantizeFlagsGiven,
  quantizePlan,
  type WriteFlagValues,
  writeAndReport,
  writeFlags,
} from '@quern/kquant';
import { openModel } from '@quern/models';
import { type CommandContext, createProgress, exitForUsage, progressMode, runCommand } from '@quern/terminal';
import { Command, Option } from 'commander';
import { scaledModel } from './scaled-model.ts';
import { toHuggingFace } from './to-hugging-face.ts';

interface ConvertOptions extends QuantizeFlagValues, WriteFlagValues {
  type: string;
  output?: string;
  revision?: string;
  to: 'gguf' | 'hf';
  maxShardSize?: string;
  awqScales?: string | true;
  calibration?: string;
}

const examples = `
Examples:
  $ quern convert ./SmolLM2-135M                              the type of the checkpoint, SmolLM2-135M-BF16.gguf
  $ quern convert HuggingFaceTB/SmolLM2-135M --type Q8_0      from the hub, through the Hugging Face cache
  $ quern convert ./SmolLM2-135M --type Q4_K_M -o small.gguf  converted and quantized in one pass
  $ quern convert ./SmolLM2-135M --type IQ3_M --imatrix auto  with an importance matrix measured first
  $ quern convert ./SmolLM2-135M --type Q4_K_M --awq-scales   with the channels that matter enlarged first
  $ quern convert ./SmolLM2-135M --type f16 --dry-run         what would be written, tensor by tensor
  $ quern convert small-Q8_0.gguf --to hf -o ./small          a checkpoint that transformers and vLLM load
  $ quern convert ./Llama-3-8B-AWQ                            the codes of AWQ, GPTQ, MLX… in a ggml type that holds them
  $ quern convert ./Llama-3-8B-AWQ --to hf --type bf16        packed weights as plain numbers

f32, f16, bf16, q8_0 and auto write what convert_hf_to_gguf.py writes; every other type what llama-quantize makes of the
auto file. Packed weights (AWQ, GPTQ, compressed-tensors, MLX, FP8, MXFP4) keep their codes with auto where a ggml type
holds them, and are made anew from their values else; the summary counts both, --strict refuses the latter.
The output is written as <output>.partial and renamed when complete. A stopped run goes on where it was.`;

export function convertCommand(): Command {
  const command = new Command('convert')
    .description(
      `Convert a Hugging Face checkpoint to GGUF, or any model to a checkpoint. Types: auto, ${fileTypes.map(({ name }) => name).join(', ')}.`,
    )
    .argument('<checkpoint>', 'folder, hub id such as org/model or org/model@revision, or (with --to hf) .gguf file')
    .option('-t, --type <type>', 'file type to write', 'auto')
    .addOption(
      new Option('--to <container>', 'what to write: a GGUF file, or a checkpoint folder')
        .choices(['gguf', 'hf'])
        .default('gguf'),
    )
    .option('-o, --output <path>', 'output file or folder (default: <name>-<TYPE>.gguf, or <name>-<TYPE>)')
    .option('--awq-scales [file]', "fold AWQ's scales in first, from this file, or computed and kept there")
    .option('--calibration <file>', "text to compute them on (default: quern's own)")
    .option('--max-shard-size <size>', 'with --to hf: largest file of weights (default: 5GB)')
    .option('--revision <name>', 'branch, tag or commit of a hub id');
  for (const flag of [...quantizeFlags, ...writeFlags]) command.addOption(optionOf(flag));
  return command
    .addHelpText('after', examples)
    .exitOverride(exitForUsage)
    .action((ref: string, options: ConvertOptions) => runCommand((context) => convert(ref, options, context), options));
}

function optionOf({ flags, description, repeatable, choices, default: usual }: Flag): Option {
  const option = new Option(flags, description);
  if (choices) option.choices(choices);
  if (repeatable) option.argParser((value: string, before: string[] = []) => [...before, value]);
  return option.default(usual);
}

async function convert(ref: string, options: ConvertOptions, context: CommandContext): Promise<number | undefined> {
  if (options.calibration !== undefined && options.awqScales === undefined)
    throw new QuernError('usage-calibration', '--calibration means nothing without --awq-scales.');
  if (options.to === 'hf') return toHuggingFace(ref, () => locate(ref, options, context), { ...options, ...context });
  if (options.maxShardSize !== undefined)
    throw new QuernError('usage-max-shard-size', '--max-shard-size means nothing without --to hf.');
  const conversion = conversionType(options.type);
  const quantization = conversion ? undefined : fileTypeNamed(options.type);
  const [unused] = conversion ? quantizeFlagsGiven(options) : [];
  if (unused)
    throw new QuernError('usage-not-quantizing', `${unused} means nothing with --type ${options.type}.`, {
      remedy: 'Drop it, or choose a quantized type.',
    });
  const opened = await openModel(await locateFolder(ref, options, context));
  try {
    const proved = await withProvedForms(opened);
    const { fileType } = planConversion(proved, conversion ?? 'auto');
    const output = options.output ?? convertedName(ref, quantization?.name ?? fileType);
    const isScaled = options.awqScales !== undefined;
    const model = isScaled ? await scaledModel(proved, output, options, context) : proved;
    // Scaled weights stay F32 until they are quantized, so that they are rounded once.
    const converted = planConversion(model, conversion ?? (isScaled ? 'F32' : 'auto'));
    const { plan, imatrix } = quantization
      ? await quantizePlan(model, { fileType: quantization.name, output, converted, ...context }, options)
      : { plan: converted };
    try {
      return await writeAndReport(model, plan, output, { ...options, title: 'convert', imatrix, ...context });
    } finally {
      await imatrix?.close();
    }
  } finally {
    await opened.close();
  }
}

async function locate(ref: string, { revision, json }: ConvertOptions, context: CommandContext): Promise<Located> {
  const progress = createProgress({ title: 'download', mode: progressMode({ json }) });
  const located = await locateCheckpoint(ref, {
    revision,
    ...context,
    onProgress: ({ file, receivedBytes, totalBytes }) =>
      progress.update({ done: receivedBytes, total: totalBytes, label: file }),
  });
  progress.finish();
  return located;
}

/** Folder of the checkpoint, fetched first when it is a hub id. */
async function locateFolder(ref: string, options: ConvertOptions, context: CommandContext): Promise<string> {
  const { path, kind } = await locate(ref, options, context);
  if (kind === 'hf') return path;
  throw new QuernError('usage-already-gguf', 'The input is a GGUF file already.', {
    file: path,
    remedy: 'Use quern quantize to change its type, or --to hf for a checkpoint folder.',
  });
}
