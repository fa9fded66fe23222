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
    sizes.filter((rule) => isAbsent(given(config, rule)) && !rule.missing).map((rule) => JSON.stringify(rule.hf)),
  );
  if (missing.size > 0) {
    throw new QuernError('config-missing', `config.json lacks ${[...missing].join(', ')}.`, { file });
  }
  const bad = new Set(
    sizes
      .filter((rule) => !isAbsent(given(config, rule)) && !isValid(rule, given(config, rule)))
      .map(
        (rule) =>
          `"${rule.hf}" is ${show(given(config, rule))} (needed: ${rule.type === 'uint32' ? 'an integer' : 'a number'} above 0, at most ${rule.max ?? maxSize})`,
      ),
  );
  if (bad.size > 0) throw new QuernError('config-bad-value', `config.json: ${[...bad].join('; ')}.`, { file });

  const values = new Map<string, number | undefined>();
  for (const rule of sizes) if (!values.has(rule.hf)) values.set(rule.hf, configValue(rule, config));
  const fail = (why: string): never => {
    throw new QuernError('config-bad-value', `config.json: ${why}.`, { file });
  };
  for (const { hf, alias } of rules) {
    const [one, other] = [config[hf], alias && config[alias]];
    if (!isAbsent(one) && !isAbsent(other) && one !== other)
      fail(`"${hf}" is ${show(one)} and "${alias}", which means the same, is ${show(other)}`);
  }
  checkHeads(values, fail);
  checkExperts(values, fail);
  return values;
}

/** The value of a rule: what config.json says, or what it means when it says nothing. */
export function configValue(rule: ConfigRule, config: Config): number | undefined {
  const value = given(config, rule);
  return isAbsent(value) ? rule.missing?.(config) : Number(value);
}

type Config = HfCheckpoint['config'];

const given = (config: Config, { hf, alias }: ConfigRule): unknown =>
  alias !== undefined && isAbsent(config[hf]) ? config[alias] : config[hf];

function checkExperts(values: ConfigValues, fail: (why: string) => never): void {
  const [experts, used] = [values.get('num_experts'), values.get('num_experts_per_tok')];
  if (experts !== undefined && used !== undefined && used > experts)
    fail(`${used} "num_experts_per_tok" of ${experts} "num_experts" cannot be used`);
}

function checkHeads(values: ConfigValues, fail: (why: string) => never): void {
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

const isSame = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

export const isAbsent = (value: unknown): value is undefined | null => value === undefined || value === null;

function isValid(rule: ConfigRule, value: unknown): boolean {
  if (typeof value !== 'number' || !(value > 0) || value > (rule.max ?? maxSize)) return false;
  return rule.type === 'float32' || Number.isInteger(value);
}

/** A config value for a message: short, and unmistakable (`"64"` is not `64`). */
export function show(value: unknown): string {
  // JSON would write NaN, which Python's JSON has, as null.
  const text = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? String(value));
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

/**
 * The features of config.json that would change the result if they were ignored.
 * @throws QuernError `unsupported-config`, listing every offender
 */
export function checkSupported(checkpoint: HfCheckpoint, architecture: Architecture): void {
  const { config } = checkpoint;
  const offenders = architecture.fixed
    .map(({ key, missing, ...rest }) => ({ key, value: isAbsent(config[key]) ? missing : config[key], ...rest }))
    .filter(({ value, values }) => !isAbsent(value) && !values.some((accepted) => isSame(accepted, value)))
    .map(({ key, value, why }) => `"${key}": ${show(value)}${isAbsent(config[key]) ? ' by default' : ''} (${why})`);
  const quantization = config.quantization_config;
  // What is packed in a known way was unpacked when the checkpoint was opened.
  if (!isAbsent(quantization) && !checkpoint.packing) {
    const method = (quantization as { quant_method?: unknown }).quant_method;
    offenders.push(
      `"quantization_config" (the weights are quantized${method ? ` by ${show(method)}` : ''}, and nothing unpacked them)`,
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
