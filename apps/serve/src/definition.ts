// What `quern serve` is called and takes.
import { adapterFlags, cacheFlags, deviceFlags, overrideFlags } from '@quern/models/flags';
import { type CommandDefinition, modelForms } from '@quern/terminal';
import type { ServeOptions } from './command.ts';
import { embeddingFlags } from './embedding-flags.ts';
import { withEnvironment } from './environment.ts';
import { samplingFlags } from './sampling-flags.ts';
import { serverFlags } from './server-flags.ts';
import { speculationFlags } from './speculation-flags.ts';
import { templateFlags } from './template-flags.ts';

const help = `
Examples:
  $ quern serve llama-Q4_K_M.gguf
  $ quern serve ./Llama-3.2-1B --port 0 --alias llama --api-key secret
  $ quern serve llama-Q4_K_M.gguf --lora style.gguf --lora-scaled ./peft:0.5
      adapters 0 and 1; a request chooses: "lora": [{"id": 0, "scale": 1}]
  $ curl localhost:8080/v1/chat/completions \\
      -d '{"messages": [{"role": "user", "content": "Hello"}]}'

The context (-c) is the most that prompt and reply of one request may have
together; 0 takes all that the model was trained for. All requests share one
cache of --cache-tokens, reserved at the start. API keys may also be given as
QUERN_API_KEY. Ctrl-C and SIGTERM let running requests finish.`;

export const serve: CommandDefinition<[model: string], ServeOptions> = {
  name: 'serve',
  description: 'Serve a model: OpenAI-compatible endpoints and a chat page.',
  arguments: [{ name: '<model>', isModel: true, description: modelForms }],
  flags: withEnvironment([
    {
      title: 'Server',
      flags: [
        { flags: '-a, --alias <name>', description: 'name of the model for clients (default: the file’s)' },
        ...serverFlags,
        {
          flags: '--json',
          description: 'print the address as one JSON document, progress and log as JSON lines on stderr',
        },
        { flags: '-q, --quiet', description: 'no progress and no log' },
      ],
    },
    {
      title: 'Capacity',
      flags: [
        {
          flags: '-c, --ctx-size <tokens>',
          description: 'context of one request (default: the model’s, 4096 at most)',
        },
        {
          flags: '-b, --batch-size <tokens>',
          description: 'tokens computed at once: a prompt holds other requests up for so many (default: 128)',
        },
        { flags: '--parallel <count>', description: 'requests computed together', default: '4' },
        {
          flags: '--cache-tokens <tokens>',
          description: 'KV cache of all requests together (default: the context)',
        },
        {
          flags: '--cache-ram <MiB>',
          description:
            'memory for what is kept of earlier requests, so that a prompt is computed from where it differs; 0: nothing is kept (default: 8192, a quarter of the machine’s memory at most)',
        },
        { flags: '--slot-save-path <folder>', description: 'where POST /slots/{id}?action=save keeps texts' },
        {
          flags: '--queue <count>',
          description: 'requests that may wait; further ones get 503',
          default: '64',
        },
        ...cacheFlags('F16'),
      ],
    },
    {
      title: 'Sampling, where a request does not say it',
      flags: [
        ...samplingFlags,
        {
          flags: '--rng <name>',
          description: 'random numbers: quern, or llama.cpp (its tokens for its seeds)',
          default: 'quern',
          choices: ['quern', 'llama.cpp'],
        },
      ],
    },
    { title: 'Vectors of texts', flags: embeddingFlags },
    { title: 'Guessing tokens ahead (replies stay the same)', flags: speculationFlags },
    {
      title: 'LoRA adapters',
      flags: [
        ...adapterFlags,
        {
          flags: '--lora-init-without-apply',
          description: 'load them, and apply them only where a request (field "lora") or POST /lora-adapters says so',
        },
      ],
    },
    { title: 'Computing', flags: deviceFlags },
    { title: 'Metadata for this run', flags: [...templateFlags, ...overrideFlags] },
  ]),
  help,
  run: async ({ arguments: [model], options, context }) =>
    (await import('./command.ts')).serve(model, options, context),
};
