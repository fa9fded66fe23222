// What `quern convert-lora` is called and takes.
import { writeFlags } from '@quern/kquant/flags';
import type { CommandDefinition } from '@quern/terminal';
import type { ConvertLoraOptions } from './convert-lora-command.ts';

const help = `
Examples:
  $ quern convert-lora ./my-adapter --base ./Llama-3.2-1B -o my-adapter.gguf
  $ quern convert-lora ./my-adapter --base llama-Q4_K_M.gguf --type f16
  $ quern serve llama-Q4_K_M.gguf --lora my-adapter-F32.gguf
      which takes the folder of PEFT as it is, too

The folder is what save_pretrained() of PEFT wrote. Of the base model headers
alone are read. The file is what convert_lora_to_gguf.py writes, but that
rooted ranks and alphas of single modules count. What an adapter holds that
GGUF cannot hold is refused by its name.`;

export const convertLora: CommandDefinition<[adapter: string], ConvertLoraOptions> = {
  name: 'convert-lora',
  description: 'Convert a LoRA adapter of PEFT to GGUF. Types: f32, f16, bf16, q8_0, auto.',
  arguments: [{ name: '<adapter>', description: 'folder with adapter_config.json' }],
  flags: [
    {
      title: 'What to write',
      flags: [
        { flags: '--base <model>', description: 'the model that it was trained on: file, folder or hub id' },
        { flags: '--type <type>', description: 'type of its matrices', default: 'f32' },
        {
          flags: '-o, --output <path>',
          description: 'file to write, or a folder for it (default: <name>-<TYPE>.gguf)',
        },
      ],
    },
    { title: 'Writing', flags: writeFlags },
  ],
  help,
  run: async ({ arguments: [adapter], options, context }) =>
    (await import('./convert-lora-command.ts')).convertLora(adapter, options, context),
};
