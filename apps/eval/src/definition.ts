// What `quern eval` is called and takes.
import { adapterFlags, cacheFlags, deviceFlags, overrideFlags } from '@quern/models/flags';
import { profiles } from '@quern/perplexity/profiles';
import { type CommandDefinition, servedForms } from '@quern/terminal';
import type { EvalOptions } from './request.ts';

const help = `
Examples:
  $ quern eval llama-bf16.gguf llama-Q4_K_M.gguf --text wiki.test.raw
  $ quern eval ./Llama-3.2-1B --text wiki.test.raw --chunks 20 --json
  $ quern eval *-Q*.gguf --base llama-bf16.gguf --text wiki.test.raw \\
      --report out.html
      KL divergence from the base, and a page with plots
  $ quern eval a.gguf b.gguf --base llama-bf16.gguf --save-base llama.kld \\
      --text wiki.test.raw
  $ quern eval c.gguf --base-file llama.kld
      compare with what was saved, by quern or by llama-perplexity
  $ quern eval a.gguf --hellaswag hellaswag.txt --winogrande winogrande.csv
  $ quern eval model.gguf --base model.gguf --text chats.txt --lora style.gguf
      what an adapter changes
  $ quern eval a.gguf --text wiki.test.raw --state a1 --shard 1/2
      then, with the other half: quern eval --merge a1 a2

Profiles:
${profiles.map(({ name, summary }) => `  ${name}\n      ${summary.replace(', ', ',\n      ')}`).join('\n')}

A comparison has two models in memory; with --save-base only one, the base is
computed once, and the file takes 2 · vocabulary bytes per scored token. Models
have the KV cache asked for, the base one of F32. Bits per weight count the
tensors alone. ± is one standard deviation.`;

const measuring = [
  'text',
  'base',
  'baseFile',
  'saveBase',
  'hellaswag',
  'winogrande',
  'multipleChoice',
  'state',
  'shard',
  'lora',
  'loraScaled',
] as const satisfies readonly (keyof EvalOptions)[];

export const evaluate: CommandDefinition<[models: string[]], EvalOptions> = {
  name: 'eval',
  description: 'Perplexity of models on a text, their divergence from a base, their answers to tasks: as one table.',
  arguments: [{ name: '[models...]', isModel: true, description: servedForms }],
  flags: [
    {
      title: 'A text',
      flags: [
        { flags: '-f, --text <file>', description: 'UTF-8 text to evaluate on; one a run' },
        {
          flags: '--profile <name>',
          description: `how the text is cut and scored: ${profiles.map(({ name }) => name).join(', ')}`,
        },
        { flags: '-c, --ctx-size <tokens>', description: 'tokens per window (default: what the profile says)' },
        {
          flags: '--stride <tokens>',
          description: 'tokens from one window to the next, for hf-stride (default: 512, or half of --ctx-size)',
        },
        { flags: '--chunks <count>', description: 'evaluate at most this many windows' },
      ],
    },
    {
      title: 'A base to compare with',
      flags: [
        { flags: '--base <model>', description: 'compare every model with this one' },
        {
          flags: '--base-file <file>',
          description: 'compare with log probabilities saved before; it has its own text',
        },
        {
          flags: '--save-base <file>',
          description: "save the base's log probabilities, in llama.cpp's format, and compare with those",
        },
      ],
    },
    {
      title: 'Tasks',
      flags: [
        { flags: '--hellaswag <file>', description: 'HellaSwag tasks, six lines each' },
        { flags: '--winogrande <file>', description: 'Winogrande tasks, CSV' },
        { flags: '--multiple-choice <file>', description: "multiple-choice tasks, llama.cpp's binary format" },
        { flags: '--max-tasks <count>', description: 'only the first so many tasks of each file' },
      ],
    },
    {
      title: 'Long runs',
      flags: [
        {
          flags: '--state <file>',
          description: 'keep what is measured here; a run that stopped goes on with the same command',
        },
        { flags: '--shard <i/N>', description: 'evaluate only part i of N, for N machines' },
        {
          flags: '--merge <states...>',
          description: 'put the state files of all shards together, and measure nothing',
          conflicts: measuring,
        },
      ],
    },
    { title: 'Adapters of all models, not of the base', flags: adapterFlags },
    { title: 'Computing', flags: [...cacheFlags('F32'), ...deviceFlags] },
    { title: 'Metadata of all models for this run', flags: overrideFlags },
    {
      title: 'Results',
      flags: [
        { flags: '--report <file>', description: 'write an HTML page with table and plots' },
        { flags: '--force', description: 'replace an existing report or base file' },
        {
          flags: '--tensor-errors <files...>',
          description: 'for the report: what quern quantize --verify --json printed',
        },
        { flags: '--statistics', description: "print each comparison in llama-perplexity's layout" },
        { flags: '--json', description: 'print one JSON document' },
        { flags: '-q, --quiet', description: 'no progress' },
      ],
    },
  ],
  help,
  run: async ({ arguments: [models], options, context }) =>
    (await import('./command.ts')).evaluate(models, options, context),
};
