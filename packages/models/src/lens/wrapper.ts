// Checkpoints of several parts (…ForConditionalGeneration) keep what describes the text model in `text_config`. Here it is
// taken out; the rest describes towers and projectors that a text model leaves out, and gives what the inner part lacks.
import type { HfCheckpoint } from '@quern/checkpoint';
import { isObject } from '../arch/config-error.ts';
import { type TrackedConfig, trackedConfig } from './tracked-config.ts';

const textKeys = ['text_config', 'llm_config', 'language_config'];

/** What else a wrapper may hold: shown as left out. */
const otherParts = [
  'vision_config',
  'audio_config',
  'projector_config',
  'speech_config',
  'vision_encoder',
  'adapter_config',
];

export interface TextConfig extends TrackedConfig {
  /** config.json has a text part of its own. */
  readonly wrapped: boolean;
  /** Names of the parts that are left out. */
  readonly parts: readonly string[];
}

export function textConfigOf({ config }: Pick<HfCheckpoint, 'config'>): TextConfig {
  const key = textKeys.find((name) => isObject(config[name]));
  if (key === undefined) return { ...trackedConfig(config), wrapped: false, parts: [] };
  const parts = otherParts.filter((name) => isObject(config[name]));
  return { ...trackedConfig(config[key] as Record<string, unknown>, config), wrapped: true, parts };
}

/** Either level may say that the embedding is the output matrix too; `missing`: what it means when neither does. */
export function isTied(
  { config: whole }: Pick<HfCheckpoint, 'config'>,
  { config }: TextConfig,
  missing = false,
): boolean {
  const said = [whole.tie_word_embeddings, config.tie_word_embeddings].filter((value) => typeof value === 'boolean');
  return said.length > 0 ? said.includes(true) : missing;
}
