// The flags that say how a model is loaded, as data: of the command line for all models, of a preset for one.
import { adapterFlags, cacheFlags, deviceFlags, overrideFlags } from '@quern/models/flags';
import type { FlagGroup } from '@quern/terminal';
import { chatFlags } from './chat-flags.ts';
import { embeddingFlags } from './embedding-flags.ts';
import { samplingFlags } from './sampling-flags.ts';
import { speculationFlags } from './speculation-flags.ts';
import { templateFlags } from './template-flags.ts';

export const modelFlagGroups: readonly FlagGroup[] = [
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
          'memory for what is kept of earlier requests, so that a prompt is computed from where it differs; 0: nothing is kept (default: 8192, a quarter of the machine’s memory at most; of several models each has its share)',
      },
      {
        flags: '--engine-timeout <seconds>',
        description:
          'an engine that says nothing for so long hangs: it is ended, and loaded again; longer than a step ever takes; 0: never',
        default: '600',
      },
      { flags: '--slot-save-path <folder>', description: 'where POST /slots/{id}?action=save keeps texts' },
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
  { title: 'Chats, where a request does not say it', flags: chatFlags },
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
];
