// The flags of commands that run a model, as data. What they mean: placement/device-request.ts, forward/cache-types.ts.
// It is an entry of the package of its own, so that a help text does not load the forward pass.
import { type CacheType, cacheTypes } from '@quern/runtime/cache-types';
import type { Flag } from '@quern/terminal';

export const deviceFlags: readonly Flag[] = [
  {
    flags: '--device <list>',
    description:
      'auto (a GPU, if there is a real one), cpu, webgpu, webgpu:<adapter> or reference; several, with commas, share the model (default: auto)',
  },
  {
    flags: '--gpu-layers <count>',
    description: 'how many of the last layers the GPU takes, the output counted (default: all)',
  },
  { flags: '--split-mode <mode>', description: 'how several devices share the model: layer or row (default: layer)' },
  { flags: '--device-memory <mebibytes>', description: 'what each device may hold' },
  { flags: '-t, --threads <count>', description: 'CPU threads (default: all cores)' },
  {
    flags: '--activations <type>',
    description:
      'what quantized weights are multiplied with: f32, or int8 as llama.cpp (default: int8 in serve, else f32)',
  },
];

const names = cacheTypes.map((type) => type.toLowerCase());

/** @param usual what a command stores when it is not told */
export const cacheFlags = (usual: CacheType): readonly Flag[] => [
  {
    flags: '--cache-type-k <type>',
    description: `what keys are stored as: ${names.join(', ')} (default: ${usual.toLowerCase()})`,
  },
  {
    flags: '--cache-type-v <type>',
    description: `what values are stored as: the same types (default: ${usual.toLowerCase()})`,
  },
];
