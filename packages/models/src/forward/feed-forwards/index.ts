// THE table of feed-forwards: parts of a block that look at one token alone. A new one is a folder beside this and a line
// here (docs/adding/mixer.md).
import { experts } from './experts/room.ts';
import type { ExpertsSpec } from './experts/spec.ts';
import { gatedMlp } from './gated-mlp/room.ts';
import type { GatedMlpSpec } from './gated-mlp/spec.ts';
import { perLayerInput } from './per-layer-input/room.ts';
import type { PerLayerInputSpec } from './per-layer-input/spec.ts';
import { plainMlp } from './plain-mlp/room.ts';
import type { PlainMlpSpec } from './plain-mlp/spec.ts';
import { sharedExpert } from './shared-expert/room.ts';
import type { SharedExpertSpec } from './shared-expert/spec.ts';

export type FeedForwardSpec = GatedMlpSpec | PlainMlpSpec | ExpertsSpec | SharedExpertSpec | PerLayerInputSpec;

export const feedForwards = {
  'gated-mlp': gatedMlp,
  'plain-mlp': plainMlp,
  experts,
  'shared-expert': sharedExpert,
  'per-layer-input': perLayerInput,
} as const;
