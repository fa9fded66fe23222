// config.json from GGUF metadata, by the same rules of the architecture record as the way there.
import type { ModelView } from '@quern/checkpoint';
import type { Tokenizer } from '@quern/tokenizer';
import type { Architecture, ConfigRule } from '../arch/architecture.ts';
import type { Hyperparameters } from '../hyperparameters.ts';
import { metadataReader } from '../metadata-reader.ts';
import { shortestFloat } from './shortest-float.ts';

export interface ConfigParts {
  numbers: Hyperparameters;
  tokenizer: Tokenizer;
  rope: Readonly<Record<string, unknown>>;
  attentionBias: boolean;
  tied: boolean;
  dtype: 'float32' | 'float16' | 'bfloat16';
}

/** @throws QuernError those of reading metadata */
export function configJson(view: ModelView, architecture: Architecture, parts: ConfigParts): Record<string, unknown> {
  const { numbers, tokenizer, rope, attentionBias, tied, dtype } = parts;
  const config: Record<string, unknown> = {
    architectures: [architecture.hf[0]],
    model_type: architecture.modelType,
    vocab_size: numbers.vocabSize,
  };
  const read = metadataReader(view, `${architecture.name}.`);
  const silent = new Set<string>();
  for (const rule of architecture.config) {
    if (typeof rule === 'string' || rule.hf in config) continue;
    const key = rule.gguf.find((name) => read.has(name));
    const value = key && ruleValue(rule, key, read);
    // A key that only a second rule has (Mixtral's head size) was not in config.json when it is what would be filled in.
    const filledIn = silent.has(rule.hf) && value === rule.missing?.(config);
    if (value === undefined || filledIn) {
      silent.add(rule.hf);
      continue;
    }
    config[rule.hf] = value;
    if (rule.alias !== undefined) config[rule.alias] = value;
  }
  for (const { key, values, missing } of architecture.fixed) {
    // What the class fills in is right for all the others.
    if (key === 'hidden_act' || missing !== undefined) config[key] = values[0];
  }
  if (architecture.tensors.some(({ presence }) => presence === 'attentionBias')) config.attention_bias = attentionBias;
  // Mistral's class fills in a window when the key is absent.
  if (architecture.slidingWindow) config.sliding_window = numbers.slidingWindow ?? null;
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

function ruleValue({ type, max }: ConfigRule, key: string, read: ReturnType<typeof metadataReader>): number {
  if (type === 'uint32') return read.uniformInteger(key, 1, max ?? 2 ** 30);
  return shortestFloat(read.number(key, 0, Number.MAX_VALUE));
}
