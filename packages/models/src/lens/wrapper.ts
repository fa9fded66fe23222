// Checkpoints of several parts (…ForConditionalGeneration) keep what describes the text model in `text_config`. Here it is
// taken out; the rest describes towers and projectors that a text model leaves out, and gives what the inner part lacks.
import type { HfCheckpoint } from '@quern/checkpoint';
import { configError, isAbsent, isObject, show } from '../arch/config-error.ts';
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

/** Whether a config.json describes a model of several parts. */
export const isWrapper = (config: Readonly<Record<string, unknown>>): boolean =>
  textKeys.some((name) => isObject(config[name]));

/** @throws QuernError `config-bad-value` when what should describe the text model does not */
export function textConfigOf({ config }: Pick<HfCheckpoint, 'config'>): TextConfig {
  const broken = textKeys.find((name) => !isAbsent(config[name]) && !isObject(config[name]));
  if (broken !== undefined) throw configError(`"${broken}" is ${show(config[broken])}, an object is needed`);
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
  const said = [whole.tie_word_embeddings, config.tie_word_embeddings].filter((value) => !isAbsent(value));
  const bad = said.find((value) => typeof value !== 'boolean');
  if (bad !== undefined) throw configError(`"tie_word_embeddings" is ${show(bad)} (needed: true or false)`);
  return said.length > 0 ? said.includes(true) : missing;
}
