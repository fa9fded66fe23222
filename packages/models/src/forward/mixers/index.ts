// THE table of mixers: parts of a block that look at other tokens. A new one is a folder beside this and a line here
// (docs/adding/mixer.md).
import { attention } from './attention/room.ts';
import type { AttentionSpec } from './attention/spec.ts';

export type MixerSpec = AttentionSpec;

export const mixers = { attention } as const;
