// quern quantize: a GGUF file to a smaller one, with the bytes of llama-quantize.
import { openGgufModel } from '@quern/checkpoint';
import { fileTypeNamed, fileTypes, planTypes, quantizedName, writeAndReport } from '@quern/kquant';
import { exitForUsage, parseCount, runCommand } from '@quern/terminal';
import { Command, Option } from 'commander';

interface QuantizeOptions {
  type: string;
  output?: string;
  threads?: string;
  strict?: boolean;
  force?: boolean;
  allowRequantize?: boolean;
  allowNonFinite?: boolean;
  onOverflow?: 'refuse' | 'inf';
  dryRun?: boolean;
  json?: boolean;
}

const examples = `
Examples:
  $ quern quantize model-BF16.gguf --type Q4_K_M
  $ quern quantize model-BF16.gguf --type Q6_K -o small.gguf --threads 8
  $ quern quantize model-BF16.gguf --type Q4_K_M --dry-run     what would be written, tensor by tensor
  $ quern quantize model-BF16.gguf --type Q4_K_M --strict      refuse (exit 3) if a tensor must fall back to another type

The output is written as <output>.partial and renamed when complete. A run that was stopped goes on where it was.`;

export function quantizeCommand(): Command {
  return new Command('quantize')
    .description(`Quantize a GGUF model. Types: ${fileTypes.map(({ name }) => name).join(', ')}.`)
    .argument('<model.gguf>', 'the input; of a split model any part')
    .requiredOption('-t, --type <type>', 'file type to write, e.g. Q4_K_M')
    .option('-o, --output <file>', 'output file (default: beside the input, named after the type)')
    .option('--threads <n>', 'threads (default: all); the bytes do not depend on it')
    .option('--strict', 'refuse a plan in which a tensor falls back to another type')
    .option('--force', 'replace an existing output file')
    .option('--allow-requantize', 'accept an input that is already quantized, which loses more')
    .option('--allow-non-finite', 'write NaN and infinities instead of refusing them')
    .addOption(
      new Option('--on-overflow <policy>', 'numbers beyond the range of F16: refuse them, or write infinities')
        .choices(['refuse', 'inf'])
        .default('refuse'),
    )
    .option('--dry-run', 'print the plan and write nothing')
    .option('--json', 'print one JSON document on stdout, progress as JSON lines on stderr')
    .addHelpText('after', examples)
    .exitOverride(exitForUsage)
    .action((input: string, options: QuantizeOptions) =>
      runCommand(({ signal }) => quantize(input, options, signal), options),
    );
}

async function quantize(input: string, options: QuantizeOptions, signal: AbortSignal): Promise<undefined> {
  const fileType = fileTypeNamed(options.type).name;
  const threads = parseCount('--threads', options.threads, 1024);
  const model = await openGgufModel(input);
  try {
    const plan = planTypes(model, fileType, options);
    const output = options.output ?? quantizedName(input, fileType);
    await writeAndReport(model, plan, output, { ...options, title: 'quantize', threads, signal });
  } finally {
    await model.close();
  }
}
