// THE table of mixers: parts of a block that look at other tokens. A new one is a folder beside this and a line here
// (docs/adding/mixer.md).
import { attention } from './attention/room.ts';
import type { AttentionSpec } from './attention/spec.ts';
import { deltaNet } from './delta-net/room.ts';
import type { DeltaNetSpec } from './delta-net/spec.ts';
import { kimiDelta } from './kimi-delta/room.ts';
import type { KimiDeltaSpec } from './kimi-delta/spec.ts';
import { latentAttention } from './latent-attention/room.ts';
import type { LatentAttentionSpec } from './latent-attention/spec.ts';
import { mamba2 } from './mamba2/room.ts';
import type { Mamba2Spec } from './mamba2/spec.ts';
import { shortConvolution } from './short-convolution/room.ts';
import type { ShortConvolutionSpec } from './short-convolution/spec.ts';

export type MixerSpec =
  | AttentionSpec
  | DeltaNetSpec
  | KimiDeltaSpec
  | LatentAttentionSpec
  | Mamba2Spec
  | ShortConvolutionSpec;

export const mixers = {
  attention,
  'delta-net': deltaNet,
  'kimi-delta': kimiDelta,
  'latent-attention': latentAttention,
  mamba2,
  'short-convolution': shortConvolution,
} as const;
