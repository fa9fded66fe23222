// What `quern quantize` is called and takes.
import { fileTypes } from '@quern/kquant/file-types';
import { quantizeFlags, writeFlags } from '@quern/kquant/flags';
import type { CommandDefinition } from '@quern/terminal';
import { layerFlags } from './layer-flags.ts';
import { withPositionals } from './positionals.ts';
import type { QuantizeOptions } from './quantize-command.ts';
import { targetFlags } from './target-flags.ts';
import { typeGuideText } from './type-guide.ts';

const help = `
Examples:
  $ quern quantize model-BF16.gguf --type Q4_K_M
  $ quern quantize model-BF16.gguf small.gguf Q6_K 8
      in llama-quantize's order; 8 threads
  $ quern quantize model-BF16.gguf --type Q4_K_M --imatrix auto --verify 0.2
  $ quern quantize model-BF16.gguf --type IQ2_M --imatrix imatrix.gguf
  $ quern quantize model-BF16.gguf --type Q4_K_M --tensor-type 'attn_v=Q8_0'
  $ quern quantize model-BF16.gguf --type Q4_K_M --dry-run
      what would be written, tensor by tensor
  $ quern quantize ./Llama-3.2-1B --target-bpw 4.5 -o small.gguf
      types per tensor, chosen by measuring
  $ quern quantize model-BF16.gguf --target-size Q4_K_M
      the best mixture of the size that Q4_K_M has
  $ quern quantize ./Llama-3.2-1B --type awq -o ./Llama-3.2-1B-AWQ
      activation-aware, 4 bits, for vLLM
  $ quern quantize ./Llama-3.2-1B --type Q4_K_M --awq-scales -o small.gguf
      the same scales for a GGUF type
  $ quern quantize ./Llama-3.2-1B --type gptq --group-size 64 \\
      --calibration mine.json -o ./Llama-3.2-1B-GPTQ

${typeGuideText}

The output is written as <output>.partial and renamed when complete. A run that
was stopped goes on where it was.`;

export const quantize: CommandDefinition<
  [input: string, output?: string, type?: string, threads?: string],
  QuantizeOptions
> = {
  name: 'quantize',
  description: `Quantize a model. To GGUF: ${fileTypes.map(({ name }) => name).join(', ')}. To a checkpoint folder: awq, gptq, rtn.`,
  arguments: [
    {
      name: '<model>',
      isModel: true,
      description:
        'GGUF file (of a split any part), here, on the hub or at a URL; for awq, gptq, rtn and targets also a checkpoint',
    },
    { name: '[output]', description: 'as --output' },
    { name: '[type]', description: 'as --type; also straight after the model' },
    { name: '[threads]', description: 'as --threads' },
  ],
  flags: [
    {
      title: 'What to write',
      flags: [
        { flags: '--type <type>', description: 'file type to write, e.g. Q4_K_M' },
        {
          flags: '-o, --output <file>',
          description:
            'file to write, or a folder for it; of awq, gptq, rtn the new folder (default: named after the type; a file of a GGUF input beside it)',
        },
        {
          flags: '--allow-requantize',
          description: 'accept an input that is already quantized, which loses more',
        },
        {
          flags: '--lora <file[:scale]>',
          description: 'merge a LoRA adapter into the weights first; may be given again',
          repeatable: true,
        },
        { flags: '--keep-split', description: 'write as many files as the input has' },
        {
          flags: '--pre <name>',
          description: "checkpoints: how the tokenizer cuts text, in llama.cpp's words, where nobody has named it",
        },
      ],
    },
    { title: 'Types of single tensors', flags: quantizeFlags },
    { title: 'Types chosen by measuring', flags: targetFlags },
    { title: 'Checkpoint folders (awq, gptq, rtn), and --awq-scales', flags: layerFlags },
    { title: 'Writing', flags: writeFlags },
  ],
  help,
  run: async ({ arguments: [input, ...rest], options, context }) => {
    const given = rest.filter((word) => word !== undefined);
    return (await import('./quantize-command.ts')).quantize(input, withPositionals(given, options), context);
  },
};
