// Every tower that can be written as an mmproj file. A new one is a file and a line.
import { isAbsent } from '../arch/config-error.ts';
import type { Json } from '../arch/config-rule.ts';
import type { Encoder } from './encoder.ts';
import { gemma3Vision } from './gemma3.ts';
import { gemma4Vision } from './gemma4.ts';
import { gemma4Audio } from './gemma4-audio.ts';
import { pixtralVision } from './pixtral.ts';
import { qwen3vlVision } from './qwen3vl.ts';

/** Vision before audio, as the files have them. */
export const encoders: readonly Encoder[] = [gemma3Vision, gemma4Vision, gemma4Audio, pixtralVision, qwen3vlVision];

/** Those of a model class for which config.json has a part. */
export const encodersOf = (config: Json): readonly Encoder[] => {
  const classes: readonly unknown[] = Array.isArray(config.architectures) ? config.architectures : [];
  return encoders.filter(({ hf, of }) => hf.some((name) => classes.includes(name)) && !isAbsent(config[partOf(of)]));
};

/** The key of config.json that describes it. */
export const partOf = (of: Encoder['of']): string => `${of}_config`;
