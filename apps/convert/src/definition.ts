// What `quern convert` is called and takes.
import { fileTypes } from '@quern/kquant/file-types';
import { quantizeFlags, writeFlags } from '@quern/kquant/flags';
import type { CommandDefinition } from '@quern/terminal';
import type { ConvertOptions } from './convert-command.ts';

const help = `
Examples:
  $ quern convert ./SmolLM2-135M
      the type of the checkpoint: SmolLM2-135M-BF16.gguf
  $ quern convert HuggingFaceTB/SmolLM2-135M --type Q8_0
      from the hub, through the Hugging Face cache
  $ quern convert ./SmolLM2-135M --type Q4_K_M -o small.gguf
      converted and quantized in one pass (quern quantize --help: which type)
  $ quern convert ./SmolLM2-135M --type IQ3_M --imatrix auto
      with an importance matrix measured first
  $ quern convert ./SmolLM2-135M --type Q4_K_M --awq-scales
      with the channels that matter enlarged first
  $ quern convert ./SmolLM2-135M --type f16 --dry-run
      what would be written, tensor by tensor
  $ quern convert ./gemma-3-4b-it --type Q4_K_M --mmproj
      with its vision tower beside it, as llama.cpp reads it
  $ quern convert ./Llama-3.2-1B --type Q4_K_M --lora ./my-adapter
      with an adapter merged into its weights first
  $ quern convert small-Q8_0.gguf --to hf -o ./small
      a checkpoint that transformers and vLLM load
  $ quern convert ./Llama-3-8B-AWQ
      the codes of AWQ, GPTQ, MLX… in a ggml type that holds them
  $ quern convert ./Llama-3-8B-AWQ --to hf --type bf16
      packed weights as plain numbers

f32, f16, bf16, q8_0 and auto write what convert_hf_to_gguf.py writes; every
other type what llama-quantize makes of the auto file. Packed weights (AWQ, GPTQ,
compressed-tensors, MLX, FP8, MXFP4) keep their codes with auto where a ggml type
holds them, and are made anew from their values else; the summary counts both,
--strict refuses the latter. The output is written as <output>.partial and
renamed when complete. A stopped run goes on where it was.`;

export const convert: CommandDefinition<[ref: string], ConvertOptions> = {
  name: 'convert',
  description: `Convert a Hugging Face checkpoint to GGUF, or any model to a checkpoint. Types: auto, ${fileTypes.map(({ name }) => name).join(', ')}.`,
  arguments: [
    {
      name: '<checkpoint>',
      isModel: true,
      description: 'checkpoint folder or hub id (owner/repo, owner/repo@revision); with --to hf any model',
    },
  ],
  flags: [
    {
      title: 'What to write',
      flags: [
        { flags: '--type <type>', description: 'file type to write', default: 'auto' },
        {
          flags: '--to <container>',
          description: 'what to write: a GGUF file, or a checkpoint folder',
          choices: ['gguf', 'hf'],
          default: 'gguf',
        },
        {
          flags: '-o, --output <path>',
          description:
            'file to write, or a folder for it (default: <name>-<TYPE>.gguf); with --to hf the new folder (default: <name>-<TYPE>)',
        },
        { flags: '--max-shard-size <size>', description: 'with --to hf: largest file of weights (default: 5GB)' },
        {
          flags: '--mtp <choice>',
          description: 'blocks that draft further tokens (multi-token prediction): with the model, without, or alone',
          choices: ['keep', 'drop', 'only'],
          default: 'keep',
        },
        {
          flags: '--mmproj',
          description: 'write the vision and audio towers too, beside the output: mmproj-<name>-<TYPE>.gguf',
        },
        {
          flags: '--lora <file[:scale]>',
          description: 'merge a LoRA adapter into the weights: GGUF file, or PEFT folder; may be given again',
          repeatable: true,
        },
        {
          flags: '--pre <name>',
          description: "how the tokenizer cuts text, in llama.cpp's words, where nobody has named its expression",
        },
        { flags: '--revision <name>', description: 'branch, tag or commit of a hub id' },
      ],
    },
    {
      title: 'Quantizing on the way',
      flags: [
        ...quantizeFlags,
        {
          flags: '--awq-scales [file]',
          description: "fold AWQ's scales in first, from this file, or computed and kept there",
        },
        { flags: '--calibration <file>', description: "text to compute them on (default: quern's own)" },
      ],
    },
    { title: 'Writing', flags: writeFlags },
  ],
  help,
  run: async ({ arguments: [ref], options, context }) =>
    (await import('./convert-command.ts')).convert(ref, options, context),
};
