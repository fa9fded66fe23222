// What `quern merge` is called and takes.
import type { CommandDefinition } from '@quern/terminal';
import type { MergeOptions } from './merge-command.ts';

const help = `
Examples:
  $ quern merge model-Q4_K_M.gguf model-Q4_K_M.gguf.part-*
      what quern quantize --shard 1/8 … 8/8 wrote
  $ quern merge model.gguf model-00001-of-00003.gguf
      the files of a split model

The parts give the file of a single run, byte for byte. All of them must come
from the same command and input.`;

export const merge: CommandDefinition<[output: string, parts: string[]], MergeOptions> = {
  name: 'merge',
  description: 'Put the parts of --shard together, or join a split GGUF model.',
  arguments: [
    { name: '<output.gguf>', description: 'file to write, or a folder for it' },
    { name: '<parts...>', description: 'all parts in any order; or any file of a split model' },
  ],
  flags: [
    {
      title: 'Options',
      flags: [
        { flags: '--force', description: 'replace an existing output file' },
        { flags: '--json', description: 'print one JSON document on stdout, progress as JSON lines on stderr' },
      ],
    },
  ],
  help,
  run: async ({ arguments: [output, parts], options, context }) =>
    (await import('./merge-command.ts')).merge(output, parts, options, context),
};
