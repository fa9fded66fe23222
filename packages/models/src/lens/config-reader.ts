// Typed access to config.json. Every number is checked before it becomes a size; offenders are collected, so that one
// run tells everything that is wrong.
import { join } from 'node:path';
import type { HfCheckpoint } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import type { Architecture, ConfigRule } from '../arch/architecture.ts';

/** Values of the record's config rules by config.json key; `undefined` where the key is absent and has no default. */
export type ConfigValues = ReadonlyMap<string, number | undefined>;

// The largest vocabulary known has 2^18 rows.
const maxSize = 2 ** 30;

/**
 * All numbers the architecture's record asks for.
 * @throws QuernError `config-missing`, `config-bad-value`, listing every offender
 */
export function readConfigValues(checkpoint: HfCheckpoint, architecture: Architecture): ConfigValues {
  const { config } = checkpoint;
  const file = configFile(checkpoint);
  const rules = architecture.config.filter((rule): rule is ConfigRule => typeof rule === 'object');
  // Every architecture needs the number of tokens, whether GGUF has a key for it or not.
  const sizes: ConfigRule[] = [...rules, { hf: 'vocab_size', gguf: [], type: 'uint32' }];

  const missing = new Set(
    sizes.filter((rule) => isAbsent(config[rule.hf]) && !rule.missing).map((rule) => JSON.stringify(rule.hf)),
  );
  if (missing.size > 0) {
    throw new QuernError('config-missing', `config.json lacks ${[...missing].join(', ')}.`, { file });
  }
  const bad = new Set(
    sizes
      .filter((rule) => !isAbsent(config[rule.hf]) && !isValid(rule, config[rule.hf]))
      .map(
        (rule) =>
          `"${rule.hf}" is ${show(config[rule.hf])} (needed: ${rule.type === 'uint32' ? 'an integer' : 'a number'} above 0, at most ${rule.max ?? maxSize})`,
      ),
  );
  if (bad.size > 0) throw new QuernError('config-bad-value', `config.json: ${[...bad].join('; ')}.`, { file });

  const values = new Map<string, number | undefined>();
  for (const rule of sizes) {
    const value = config[rule.hf];
    if (!values.has(rule.hf)) values.set(rule.hf, isAbsent(value) ? rule.missing?.(config) : Number(value));
  }
  checkHeads(values, file);
  return values;
}

function checkHeads(values: ConfigValues, file: string): void {
  const fail = (why: string): never => {
    throw new QuernError('config-bad-value', `config.json: ${why}.`, { file });
  };
  const heads = values.get('num_attention_heads') ?? 0;
  const kvHeads = values.get('num_key_value_heads') ?? 0;
  const hidden = values.get('hidden_size') ?? 0;
  if (heads % kvHeads !== 0) fail(`${kvHeads} "num_key_value_heads" do not divide ${heads} "num_attention_heads"`);
  const headDim = values.get('head_dim');
  if (headDim === undefined && hidden % heads !== 0) {
    fail(`${heads} "num_attention_heads" do not divide "hidden_size" ${hidden}, and there is no "head_dim"`);
  }
  const size = headDim ?? hidden / heads;
  if (size < 2 || size % 2 !== 0) fail(`the head size ${size} is not even, rope needs pairs`);
}

/** For error messages. */
export const configFile = ({ path }: Pick<HfCheckpoint, 'path'>): string => join(path, 'config.json');

export const isAbsent = (value: unknown): value is undefined | null => value === undefined || value === null;

function isValid(rule: ConfigRule, value: unknown): boolean {
  if (typeof value !== 'number' || !(value > 0) || value > (rule.max ?? maxSize)) return false;
  return rule.type === 'float32' || Number.isInteger(value);
}

/** A config value for a message: short, and unmistakable (`"64"` is not `64`). */
export function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

/**
 * The features of config.json that would change the result if they were ignored.
 * @throws QuernError `unsupported-config`, listing every offender
 */
export function checkSupported(checkpoint: HfCheckpoint, architecture: Architecture): void {
  const { config } = checkpoint;
  const offenders = architecture.fixed
    .filter(({ key, values }) => !isAbsent(config[key]) && !values.includes(config[key] as string | number | boolean))
    .map(({ key, why }) => `"${key}": ${show(config[key])} (${why})`);
  const quantization = config.quantization_config;
  if (!isAbsent(quantization)) {
    const method = (quantization as { quant_method?: unknown }).quant_method;
    offenders.push(
      `"quantization_config" (the weights are quantized${method ? ` by ${show(method)}` : ''}, which is not supported yet)`,
    );
  }
  const layerTypes = config.layer_types;
  if (Array.isArray(layerTypes)) {
    const other = [...new Set(layerTypes.filter((type) => type !== 'full_attention'))];
    if (other.length > 0)
      offenders.push(`"layer_types" with ${other.map(show).join(', ')} (only full attention is supported)`);
  }
  if (offenders.length === 0) return;
  throw new QuernError(
    'unsupported-config',
    `config.json asks for what ${architecture.family} cannot do here: ${offenders.join('; ')}.`,
    {
      file: configFile(checkpoint),
      remedy: 'Converting without it would change what the model says.',
    },
  );
}
