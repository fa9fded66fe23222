// What `quern create` is called and takes.
import type { CommandDefinition } from '@quern/terminal';
import type { CreateOptions } from './create.ts';

export const create: CommandDefinition<[name: string], CreateOptions> = {
  name: 'create',
  description: 'Create a model of another one: a system prompt, parameters, adapters.',
  arguments: [{ name: '<name>', description: 'what it is called: model, owner/model, owner/model:tag' }],
  flags: [
    {
      title: 'Options',
      flags: [
        { flags: '-f, --file <file>', description: 'what it is, as Ollama writes it', default: 'Modelfile' },
        { flags: '-q, --quantize <type>', description: 'weights of this type, of F16, BF16 or F32: q4_K_M, q8_0, …' },
        {
          flags: '--json',
          description: 'print what was created as one JSON document, progress as JSON lines on stderr',
        },
        { flags: '--quiet', description: 'no progress' },
      ],
    },
  ],
  help: `
Examples:
  $ quern create pirate
  $ quern create pirate -f pirate.modelfile
  $ quern create small -f Modelfile --quantize q4_K_M

A Modelfile has an instruction a line:
  FROM bartowski/Llama-3.2-1B-Instruct-GGUF     or a path, or a created model
  SYSTEM """You are a pirate."""
  PARAMETER temperature 0.5
  PARAMETER stop "Arr"
and TEMPLATE (Jinja), MESSAGE role text, LICENSE, ADAPTER (LoRA in GGUF). Texts
between three quotation marks may have several lines; paths are seen from the
file. The model is kept beside the cache of the hub: "quern list" shows it,
"quern serve NAME" and "quern run NAME" answer as it, "quern rm" deletes it.`,
  run: async ({ arguments: [name], options, context }) => (await import('./create.ts')).create(name, options, context),
};
