// What `quern run` is called and takes.
import { cacheFlags, deviceFlags, overrideFlags } from '@quern/models/flags';
import { type CommandDefinition, servedForms } from '@quern/terminal';
import type { RunOptions } from './run.ts';

export const run: CommandDefinition<[model: string, prompt: string | undefined], RunOptions> = {
  name: 'run',
  description: 'Chat with a model in the terminal.',
  arguments: [
    { name: '<model>', isModel: true, description: servedForms },
    { name: '[prompt]', description: 'one message; the reply is printed, and that is all' },
  ],
  flags: [
    {
      title: 'Chat',
      flags: [
        { flags: '-p, --prompt <text>', description: 'the same as [prompt]' },
        { flags: '--system <text>', description: 'what the model is told before the chat' },
        { flags: '--verbose', description: 'after each reply its tokens and their speed' },
        { flags: '--json', description: 'print the reply to one prompt as one JSON document' },
        { flags: '-q, --quiet', description: 'no progress' },
      ],
    },
    {
      title: 'Replies',
      flags: [
        { flags: '--temp <number>', description: '0: always the likeliest token (default: 0.8)' },
        { flags: '--top-k <count>', description: 'of the likeliest tokens so many; 0: all (default: 40)' },
        { flags: '--top-p <share>', description: 'of the likeliest tokens so much probability (default: 0.95)' },
        { flags: '--min-p <share>', description: 'tokens so likely beside the likeliest (default: 0.05)' },
        { flags: '--repeat-penalty <factor>', description: 'against what was written already; 1: none (default: 1)' },
        { flags: '--presence-penalty <number>', description: 'against tokens of the reply (default: 0)' },
        { flags: '--frequency-penalty <number>', description: 'the same, for each time (default: 0)' },
        { flags: '--seed <number>', description: 'of the random numbers (default: another each time)' },
        { flags: '-n, --n-predict <tokens>', description: 'longest reply; -1: as the model ends it (default: -1)' },
        { flags: '--think <on|off>', description: 'reasoning, of models whose template can be told' },
      ],
    },
    {
      title: 'Capacity',
      flags: [
        {
          flags: '-c, --ctx-size <tokens>',
          description:
            'context of the chat; 0: all that the model was trained for (default: the model’s, 4096 at most)',
        },
        ...cacheFlags('F16'),
      ],
    },
    { title: 'Computing', flags: deviceFlags },
    { title: 'Metadata for this run', flags: overrideFlags },
  ],
  help: `
Examples:
  $ quern run bartowski/Llama-3.2-1B-Instruct-GGUF
  $ quern run llama.gguf "Why is the sky blue?"
  $ quern run llama.gguf "Summarize this:" < article.txt
  $ quern run pirate
  $ quern run ./Llama-3.2-1B --system "Answer in French." --temp 0

In the chat, """ begins and ends a message of several lines, as does a \\ at the
end of a line; /help lists the commands. Ctrl-C stops a reply, Ctrl-D leaves.
What is piped in is one prompt (behind [prompt], if both are given), and stdout
has nothing but the reply. A chat longer than the context is refused, not cut.
A created model (quern create) brings its system prompt, messages, parameters,
template and adapters; flags come before what it says.`,
  run: async ({ arguments: [model, prompt], options, context }) =>
    (await import('./run.ts')).run(model, prompt, options, context),
};
