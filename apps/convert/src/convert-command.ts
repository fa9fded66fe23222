// quern convert: a Hugging Face checkpoint to GGUF, with the bytes of convert_hf_to_gguf.py; to a quantized type in the
// same pass, with the bytes of converting and quantizing one after the other.

import { locateCheckpoint } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import {
  conversionType,
  convertedName,
  fileTypeNamed,
  fileTypes,
  planConversion,
  planTypes,
  writeAndReport,
} from '@quern/kquant';
import { openModel } from '@quern/models';
import { createProgress, exitForUsage, parseCount, progressMode, runCommand } from '@quern/terminal';
import { Command, Option } from 'commander';

interface ConvertOptions {
  type: string;
  output?: string;
  revision?: string;
  threads?: string;
  strict?: boolean;
  force?: boolean;
  allowNonFinite?: boolean;
  onOverflow?: 'refuse' | 'inf';
  dryRun?: boolean;
  json?: boolean;
}

const examples = `
Examples:
  $ quern convert ./SmolLM2-135M                              the type of the checkpoint, SmolLM2-135M-BF16.gguf
  $ quern convert HuggingFaceTB/SmolLM2-135M --type Q8_0      from the hub, through the Hugging Face cache
  $ quern convert ./SmolLM2-135M --type Q4_K_M -o small.gguf  converted and quantized in one pass
  $ quern convert ./SmolLM2-135M --type f16 --dry-run         what would be written, tensor by tensor

f32, f16, bf16, q8_0 and auto write what convert_hf_to_gguf.py writes; every other type what llama-quantize makes of the
auto file. The output is written as <output>.partial and renamed when complete. A stopped run goes on where it was.`;

export function convertCommand(): Command {
  return new Command('convert')
    .description(
      `Convert a Hugging Face checkpoint to GGUF. Types: auto, ${fileTypes.map(({ name }) => name).join(', ')}.`,
    )
    .argument('<checkpoint>', 'folder, or hub id such as org/model or org/model@revision')
    .option('-t, --type <type>', 'file type to write', 'auto')
    .option('-o, --output <file>', 'output file (default: <name>-<TYPE>.gguf in the current folder)')
    .option('--revision <name>', 'branch, tag or commit of a hub id')
    .option('--threads <n>', 'threads (default: all); the bytes do not depend on it')
    .option('--strict', 'refuse a plan in which a tensor falls back to another type')
    .option('--force', 'replace an existing output file')
    .option('--allow-non-finite', 'write NaN and infinities instead of refusing them')
    .addOption(
      new Option('--on-overflow <policy>', 'numbers beyond the range of F16: refuse them, or inf as llama.cpp does')
        .choices(['refuse', 'inf'])
        .default('refuse'),
    )
    .option('--dry-run', 'print the plan and write nothing')
    .option('--json', 'print one JSON document on stdout, progress as JSON lines on stderr')
    .addHelpText('after', examples)
    .exitOverride(exitForUsage)
    .action((ref: string, options: ConvertOptions) =>
      runCommand(({ signal }) => convert(ref, options, signal), options),
    );
}

async function convert(ref: string, options: ConvertOptions, signal: AbortSignal): Promise<undefined> {
  const conversion = conversionType(options.type);
  const quantization = conversion ? undefined : fileTypeNamed(options.type);
  const threads = parseCount('--threads', options.threads, 1024);
  const model = await openModel(await locate(ref, options, signal));
  try {
    const converted = planConversion(model, conversion ?? 'auto');
    const plan = quantization ? planTypes(model, quantization.name, { converted }) : converted;
    const output = options.output ?? convertedName(ref, plan.fileType);
    await writeAndReport(model, plan, output, { ...options, title: 'convert', threads, signal });
  } finally {
    await model.close();
  }
}

/** Folder of the checkpoint, fetched first when it is a hub id. */
async function locate(ref: string, { revision, json }: ConvertOptions, signal: AbortSignal): Promise<string> {
  const progress = createProgress({ title: 'download', mode: progressMode({ json }) });
  const { path, kind } = await locateCheckpoint(ref, {
    revision,
    signal,
    onProgress: ({ file, receivedBytes, totalBytes }) =>
      progress.update({ done: receivedBytes, total: totalBytes, label: file }),
  });
  progress.finish();
  if (kind === 'hf') return path;
  throw new QuernError('usage-already-gguf', 'The input is a GGUF file already.', {
    file: path,
    remedy: 'Use quern quantize to change its type.',
  });
}
