// Which record answers to a config.json: by its model class, by the class without its head, or by `model_type`.
import type { HfCheckpoint } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import type { Architecture } from '../arch/architecture.ts';
import { isAbsent } from '../arch/config-error.ts';
import type { Json } from '../arch/config-rule.ts';
import { architectureByHfName, architectures } from '../arch/index.ts';
import { configFile } from './config-reader.ts';

export const modelTypesOf = ({ modelType }: Architecture): readonly string[] =>
  typeof modelType === 'string' ? [modelType] : modelType;

/** `Qwen3Model`, `Qwen3TextModel`: the network without a head. */
const bare = (name: string) => name.replace(/(For(CausalLM|ConditionalGeneration)|LMHeadModel|TextModel|Model)$/, '');
const isBare = (name: string) => /Model$/.test(name) && !/LMHeadModel$/.test(name);

/**
 * @param config the text part
 * @throws QuernError `unknown-architecture`, `config-missing`
 */
export function hfArchitecture(checkpoint: Pick<HfCheckpoint, 'path' | 'config'>, config: Json): Architecture {
  const file = configFile(checkpoint);
  const named: unknown = checkpoint.config.architectures;
  const first: unknown = Array.isArray(named) ? named[0] : undefined;
  const type: unknown = config.model_type ?? checkpoint.config.model_type;
  const ofType = architectures.filter((record) => typeof type === 'string' && modelTypesOf(record).includes(type));
  const choose = (records: readonly Architecture[]): Architecture | undefined => {
    const fitting = records.filter(({ when }) => when?.(config) ?? true);
    return fitting.find((record) => ofType.includes(record)) ?? fitting[0];
  };
  if (typeof first !== 'string') {
    const found = isAbsent(named) || (Array.isArray(named) && named.length === 0) ? choose(ofType) : undefined;
    if (found) return found;
    throw new QuernError('config-missing', 'config.json names no model class in "architectures".', {
      file,
      remedy: 'Add it, for example "architectures": ["LlamaForCausalLM"].',
    });
  }
  const found = choose(architectures.filter(({ hf }) => hf.includes(first)));
  if (found) return found;
  const withoutHead = isBare(first)
    ? choose(architectures.filter(({ hf }) => hf.some((name) => bare(name) === bare(first))))
    : undefined;
  if (withoutHead) return withoutHead;
  return architectureByHfName(first, file);
}
