// config.json from GGUF metadata, by the same rules of the architecture record as the way there.
import type { ModelView } from '@quern/checkpoint';
import type { Tokenizer } from '@quern/tokenizer';
import type { Architecture } from '../arch/architecture.ts';
import { type ConfigValue, isMade, type KeyRule, spellings } from '../arch/config-rule.ts';
import type { ModelNumbers } from '../arch/model-numbers.ts';
import { modelTypesOf } from '../lens/choose-architecture.ts';
import { nameOf } from '../lens/config-reader.ts';
import { metadataReader } from '../metadata-reader.ts';
import { shortestFloat } from './shortest-float.ts';

export interface ConfigParts {
  numbers: ModelNumbers;
  tokenizer: Tokenizer;
  rope: Readonly<Record<string, unknown>>;
  /** Keys that say which tensors there are. */
  flags: ReadonlyMap<string, boolean>;
  tied: boolean;
  dtype: 'float32' | 'float16' | 'bfloat16';
}

/** @throws QuernError those of reading metadata */
export function configJson(view: ModelView, architecture: Architecture, parts: ConfigParts): Record<string, unknown> {
  const { numbers, tokenizer, rope, flags, tied, dtype } = parts;
  const config: Record<string, unknown> = {
    architectures: [architecture.hf[0]],
    model_type: modelTypesOf(architecture)[0],
    vocab_size: numbers.vocab,
  };
  const silent = new Set<string>();
  for (const rule of architecture.config) {
    if (typeof rule === 'string') continue;
    if (isMade(rule)) {
      Object.assign(config, rule.back?.(numbers));
      continue;
    }
    const name = nameOf(rule);
    if (name in config) continue;
    const key = rule.gguf.find((gguf) => numbers.has(gguf));
    const value = key === undefined ? undefined : ruleValue(rule, key, view, architecture, numbers);
    // A key that only a second rule has (Mixtral's head size) was not in config.json when it is what would be filled in.
    const filledIn = silent.has(name) && value === rule.missing?.(config);
    if (value === undefined || filledIn) {
      silent.add(name);
      continue;
    }
    for (const path of spellings(rule)) put(config, path, value);
  }
  for (const { key, values, missing } of architecture.fixed) {
    // What the class fills in is right for all the others.
    if (key === 'hidden_act' || missing !== undefined) config[key] = values[0];
  }
  for (const [flag, on] of flags) config[flag] = on;
  // Mistral's class fills in a window when the key is absent.
  if (architecture.slidingWindow) config.sliding_window = numbers.at('attention.sliding_window') ?? null;
  const pad = metadataReader(view).optionalInteger('tokenizer.ggml.padding_token_id', -1, 0, 2 ** 32);
  return {
    ...config,
    ...rope,
    tie_word_embeddings: tied,
    bos_token_id: tokenizer.bos ?? null,
    eos_token_id: tokenizer.eos ?? null,
    pad_token_id: pad < 0 ? null : pad,
    dtype,
    // The name of the same key before transformers 4.56.
    torch_dtype: dtype,
  };
}

function ruleValue(
  { type, max, min, words, perBlock, plusDraft }: KeyRule,
  key: string,
  view: ModelView,
  { name }: Architecture,
  numbers: ModelNumbers,
): ConfigValue {
  const read = metadataReader(view, `${name}.`);
  if (type === 'string') return read.string(key);
  if (words) {
    const number = numbers.at(key);
    return Object.keys(words).find((word) => words[word] === number) ?? read.fail(key, `${number} has no name`);
  }
  if (type === 'bool') return numbers.isTrue(key);
  const one = (value: number) => (type === 'float32' ? shortestFloat(value) : value);
  const stored = view.metadata.get(`${name}.${key}`);
  if (perBlock && stored?.type === 'array') {
    const list = numbers
      .list(key)!
      .slice(0, numbers.blocks - numbers.draftBlocks)
      .map(one);
    return list.every((value) => value === list[0]) ? list[0]! : list;
  }
  if (type === 'float32') return one(read.number(key, min ?? 0, Number.MAX_VALUE));
  const value = read.uniformInteger(key, min ?? 1, max ?? 2 ** 30);
  return plusDraft ? value - numbers.draftBlocks : value;
}

/** Sets a value where a path leads. */
function put(config: Record<string, unknown>, path: string, value: unknown): void {
  const keys = path.split('.');
  let object = config;
  for (const key of keys.slice(0, -1)) object = (object[key] ??= {}) as Record<string, unknown>;
  object[keys.at(-1)!] = value;
}
