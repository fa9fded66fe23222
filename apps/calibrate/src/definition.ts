// What `quern calibrate` is called and takes.
import { type CommandDefinition, modelForms } from '@quern/terminal';
import type { CalibrateCommandOptions } from './options.ts';

const help = `
Examples:
  $ quern calibrate llama-BF16.gguf
      on the text that comes with quern
  $ quern calibrate ./Llama-3.2-1B --text notes.txt --text mail.txt -o mine.gguf
  $ quern calibrate llama-BF16.gguf --text wiki.train.raw --chunks 100 -c 512
  $ quern calibrate --merge a.gguf b.gguf -o both.gguf
      add up what was measured before
  $ quern calibrate --merge a.gguf --show-statistics
      look into one

The file is llama.cpp's: llama-quantize reads it, and --merge reads what
llama-imatrix wrote, old .dat files too. A run that was stopped goes on where it
was. Measure the unquantized model: it is what the quantized one should resemble.`;

export const calibrate: CommandDefinition<[model: string | undefined], CalibrateCommandOptions> = {
  name: 'calibrate',
  description: 'Measure an importance matrix: which columns of the weights matter on a text.',
  arguments: [{ name: '[model]', isModel: true, description: modelForms }],
  flags: [
    {
      title: 'What to measure',
      flags: [
        {
          flags: '-f, --text <file>',
          description: 'UTF-8 text to measure on; may be given again',
          repeatable: true,
          conflicts: ['recipe'],
        },
        {
          flags: '--recipe <name>',
          description: 'recipe that comes with quern, or a recipe file (.json) (default: default)',
        },
        {
          flags: '-c, --ctx-size <tokens>',
          description: 'tokens per chunk (default: what the recipe says, or 512)',
        },
        {
          flags: '--chunks <count>',
          description: 'measure at most this many chunks (default: what the recipe says, or all)',
        },
        {
          flags: '--minimum-rows <count>',
          description: 'go on until every expert has seen this many tokens, or the text ends',
        },
        { flags: '--process-output', description: 'measure output.weight too' },
        { flags: '--parse-special', description: 'read special tokens written in the texts as such' },
        {
          flags: '-t, --threads <count>',
          description: 'CPU threads (default: all cores); the sums do not depend on it',
        },
      ],
    },
    {
      title: 'What was measured before',
      flags: [
        { flags: '--merge <files...>', description: 'add importance matrices measured before' },
        { flags: '--show-statistics', description: 'print figures of every weight' },
      ],
    },
    {
      title: 'Writing',
      flags: [
        {
          flags: '-o, --output <file>',
          description: 'importance matrix to write, or a folder for it (default: imatrix.gguf)',
        },
        {
          flags: '--format <format>',
          description: 'llama.cpp writes gguf; dat is its older format',
          choices: ['gguf', 'dat'],
          default: 'gguf',
        },
        { flags: '--save-every <seconds>', description: 'what a crash may cost', default: '60' },
        { flags: '--force', description: 'replace an existing output file' },
        { flags: '--json', description: 'print one JSON document on stdout, progress as JSON lines on stderr' },
        { flags: '-q, --quiet', description: 'no progress' },
      ],
    },
  ],
  help,
  run: async ({ arguments: [model], options, context }) =>
    (await import('./calibrate-command.ts')).calibrate(model, options, context),
};
