// What `quern pull`, `list` and `rm` are called and take.
import type { CommandDefinition, Flag } from '@quern/terminal';
import type { ListOptions } from './list.ts';
import type { PullOptions } from './pull.ts';
import type { RemoveOptions } from './remove.ts';

const json: Flag = { flags: '--json', description: 'print one JSON document' };

export const pull: CommandDefinition<[model: string], PullOptions> = {
  name: 'pull',
  description: 'Fetch a model into the cache of the Hugging Face hub.',
  arguments: [
    {
      name: '<model>',
      isModel: true,
      description: 'hub id (owner/repo, owner/repo:Q4_K_M, hf.co/…, @revision) or URL',
    },
  ],
  flags: [
    {
      title: 'Options',
      flags: [
        { ...json, description: 'print what was fetched as one JSON document, progress as JSON lines on stderr' },
        { flags: '-q, --quiet', description: 'no progress' },
      ],
    },
  ],
  help: `
Examples:
  $ quern pull bartowski/Llama-3.2-1B-Instruct-GGUF
  $ quern pull bartowski/Llama-3.2-1B-Instruct-GGUF:Q8_0
  $ quern pull Qwen/Qwen3-0.6B

Of a repository of GGUF files the one of the named type is fetched, all its
splits; Q4_K_M when none is named. A checkpoint is fetched whole: weights,
configuration and tokenizer. Files go where huggingface_hub keeps them
(HF_HUB_CACHE, HF_HOME), and every command finds them there by the same name.
Whether the disk has room is asked first; a pull that was stopped goes on where
it was. HF_TOKEN opens private and gated repositories.`,
  run: async ({ arguments: [name], options, context }) => (await import('./pull.ts')).pull(name, options, context),
};

export const list: CommandDefinition<[], ListOptions> = {
  name: 'list',
  description: 'The models that are on this machine.',
  arguments: [],
  flags: [
    {
      title: 'Options',
      flags: [
        {
          flags: '--models-dir <folder>',
          description: 'a folder of GGUF files and checkpoints, listed too; may be given again',
          repeatable: true,
        },
        json,
      ],
    },
  ],
  help: `
Examples:
  $ quern list
  $ quern list --json
  $ quern list --models-dir ./models --json

The names are those that every command takes. Listed is the cache of the Hugging
Face hub (HF_HUB_CACHE, HF_HOME), whatever program filled it. Headers of files
are read, never the weights. What was created ("quern create") is for serve,
run, eval, inspect, tokenize, embed and logits.`,
  run: async ({ options }) => (await import('./list.ts')).list(options),
};

export const rm: CommandDefinition<[models: string[]], RemoveOptions> = {
  name: 'rm',
  description: 'Delete models from the cache of the Hugging Face hub, and created ones.',
  arguments: [
    { name: '<models...>', description: 'names as "quern list" shows them; owner/repo: all of a repository' },
  ],
  flags: [
    {
      title: 'Options',
      flags: [
        { flags: '-y, --yes', description: 'do not ask' },
        { ...json, description: 'print what was deleted as one JSON document; wants --yes' },
      ],
    },
  ],
  help: `
Examples:
  $ quern rm bartowski/Llama-3.2-1B-Instruct-GGUF:Q8_0
  $ quern rm --yes Qwen/Qwen3-0.6B

Contents that another name in the same repository needs stay, and so do files
that another created model needs. A model of which others were made is refused
without them. Files outside the cache are never touched.`,
  run: async ({ arguments: [names], options }) => (await import('./remove.ts')).remove(names, options),
};
