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

/** Adapters for one run: adapter/read-adapters.ts. */
export const adapterFlags: readonly Flag[] = [
  {
    flags: '--lora <file>',
    description: 'apply a LoRA adapter: GGUF file, or PEFT folder; may be given again',
    repeatable: true,
  },
  { flags: '--lora-scaled <file:scale>', description: 'the same, with a scale', repeatable: true },
];

/** Metadata for one run: override/load-override.ts. */
export const overrideFlags: readonly Flag[] = [
  {
    flags: '--override-kv <key=type:value>',
    description: 'metadata for this run; types are int, float, bool, str',
    repeatable: true,
  },
  { flags: '--rope-scaling <kind>', description: 'positions for a longer context: none, linear or yarn' },
  { flags: '--rope-scale <factor>', description: 'how many times the context' },
  { flags: '--rope-freq-scale <factor>', description: 'the same, as 1/N' },
  { flags: '--rope-freq-base <number>', description: 'base of the rope frequencies' },
  { flags: '--yarn-orig-ctx <tokens>', description: 'context that the model was trained for (default: as it says)' },
  { flags: '--yarn-ext-factor <number>', description: 'how much of yarn: 1 all, 0 linear alone' },
  { flags: '--yarn-attn-factor <number>', description: 'factor of the attention’s scale' },
  { flags: '--yarn-beta-slow <number>', description: 'rotations below which positions are scaled (default: 1)' },
  { flags: '--yarn-beta-fast <number>', description: 'rotations above which they are not (default: 32)' },
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
