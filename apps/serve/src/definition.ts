// What `quern serve` is called and takes.
import { type CommandDefinition, servedForms } from '@quern/terminal';
import type { ServeOptions } from './command.ts';
import { withEnvironment } from './environment.ts';
import { manyModelFlags } from './many-model-flags.ts';
import { modelFlagGroups } from './model-flags.ts';
import { serverFlags } from './server-flags.ts';

const help = `
Examples:
  $ quern serve llama-Q4_K_M.gguf
  $ quern serve ./Llama-3.2-1B --port 0 --alias llama --api-key secret
  $ quern serve llama-Q4_K_M.gguf --lora style.gguf --lora-scaled ./peft:0.5
      adapters 0 and 1; a request chooses: "lora": [{"id": 0, "scale": 1}]
  $ quern serve --models-dir ./models --models-max 2 --idle-unload 10m
      each is loaded when a request names it: "model": "llama-Q4_K_M"
  $ curl localhost:8080/v1/chat/completions \\
      -d '{"messages": [{"role": "user", "content": "Hello"}]}'

The context (-c) is the most that prompt and reply of one request may have
together; 0 takes all that the model was trained for. All requests share one
cache of --cache-tokens, reserved at the start. API keys may also be given as
QUERN_API_KEY. Ctrl-C and SIGTERM let running requests finish.`;

export const serve: CommandDefinition<[models: string[]], ServeOptions> = {
  name: 'serve',
  description: 'Serve models to the clients of OpenAI, Anthropic, Ollama and llama-server, with a chat page.',
  arguments: [{ name: '[models...]', isModel: true, description: servedForms }],
  flags: withEnvironment([
    {
      title: 'Server',
      flags: [
        {
          flags: '-a, --alias <names>',
          description: 'name of the model for clients, and further ones, with commas (default: the file’s)',
        },
        ...serverFlags,
        {
          flags: '--json',
          description: 'print the address as one JSON document, progress and log as JSON lines on stderr',
        },
        { flags: '-q, --quiet', description: 'no progress and no log' },
        {
          flags: '--queue <count>',
          description: 'requests that may wait; further ones get 503',
          default: '64',
        },
      ],
    },
    { title: 'Many models', flags: manyModelFlags },
    ...modelFlagGroups,
  ]),
  help,
  run: async ({ arguments: [models], options, context }) =>
    (await import('./command.ts')).serve(models, options, context),
};
