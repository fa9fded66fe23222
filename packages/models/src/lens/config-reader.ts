// Values of config.json by the rules of a record. Every value is checked before it becomes a size; offenders are collected,
// so that one run tells everything that is wrong.
import { join } from 'node:path';
import type { HfCheckpoint } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import type { GgufValue } from '@quern/gguf';
import type { Architecture } from '../arch/architecture.ts';
import { configError, isAbsent, perBlock, show, valueAt } from '../arch/config-error.ts';
import {
  type ConfigRule,
  type ConfigType,
  type ConfigValue,
  type Facts,
  isMade,
  type Json,
  type KeyRule,
  spellings,
} from '../arch/config-rule.ts';
import { type TrackedConfig, trackedConfig } from './tracked-config.ts';

/** Values of the record's rules; absent where nothing is to be written. */
export type ConfigValues = ReadonlyMap<ConfigRule, ConfigValue>;

// The largest vocabulary known has 2^18 rows, and the longest text 10 million tokens.
const maxSize = 2 ** 24;
// Of a number that is no size, or the product of two.
const maxNumber = 2 ** 30;
const maxOf = ({ type, max = type === 'float32' ? maxNumber : maxSize }: KeyRule): number => max;
// Of a list without one entry per block, such as rope sections.
const maxListed = 4096;

/** Every architecture needs the number of tokens, whether GGUF has a key for it or not. */
const vocabularyRule = ({ vocabSize }: Architecture): KeyRule => ({
  hf: 'vocab_size',
  gguf: [],
  type: 'uint32',
  ...(vocabSize !== undefined && { missing: () => vocabSize }),
});

/**
 * All values the architecture's record asks for.
 * @throws QuernError those of `readRules`
 */
export function readConfigValues(
  config: Json,
  architecture: Architecture,
  facts: Facts,
): { values: ConfigValues; vocabSize: number } {
  const rules: ConfigRule[] = architecture.config.filter((rule) => typeof rule === 'object');
  const vocabulary = vocabularyRule(architecture);
  const values = new Map(readRules(config, [...rules, vocabulary], facts));
  values.delete(vocabulary);
  const numbers = numbersOf(values, config, facts);
  checkLists(values, config);
  checkHeads(numbers, architecture);
  checkExperts(numbers);
  return { values, vocabSize: Number(keyValue(vocabulary, config, facts)) };
}

/**
 * The values of rules, each checked by itself.
 * @throws QuernError `config-missing`, `config-bad-value`, listing every offender
 */
export function readRules(config: Json, rules: readonly ConfigRule[], facts: Facts): ConfigValues {
  const keyRules = rules.filter((rule): rule is KeyRule => !isMade(rule));
  const missing = new Set(
    keyRules
      .filter((rule) => isAbsent(given(config, rule)) && !rule.missing)
      .map((rule) => JSON.stringify(nameOf(rule))),
  );
  if (missing.size > 0) throw new QuernError('config-missing', `config.json lacks ${[...missing].join(', ')}.`);
  for (const rule of keyRules) refuseContradiction(config, rule);
  const bad = new Set(
    keyRules
      .filter((rule) => !isAbsent(given(config, rule)) && !isValid(rule, given(config, rule)))
      .map((rule) => `"${givenName(config, rule)}" is ${show(given(config, rule))} (needed: ${wanted(rule)})`),
  );
  if (bad.size > 0) throw configError([...bad].join('; '));

  const values = new Map<ConfigRule, ConfigValue>();
  for (const rule of rules) {
    const value = isMade(rule) ? rule.made(config, facts) : keyValue(rule, config, facts);
    if (!isAbsent(value)) values.set(rule, value);
  }
  checkMade(values, config, facts);
  return values;
}

/** What config.json says, or what it means when it says nothing. */
function keyValue(rule: KeyRule, config: Json, { draftBlocks }: Facts): ConfigValue | undefined {
  const stored = given(config, rule);
  const value = (isAbsent(stored) ? rule.missing?.(config) : stored) as ConfigValue | undefined;
  if (rule.words && typeof value === 'string') return rule.words[value];
  return rule.plusDraft ? Number(value) + draftBlocks : value;
}

export const nameOf = (rule: KeyRule): string => spellings(rule)[0]!;

/** The spelling that is there; of none the one that is written back. */
const givenName = (config: Json, rule: KeyRule): string =>
  spellings(rule).find((path) => !isAbsent(valueAt(config, path))) ?? nameOf(rule);

const given = (config: Json, rule: KeyRule): unknown => valueAt(config, givenName(config, rule)) ?? undefined;

function refuseContradiction(config: Json, rule: KeyRule): void {
  const said = spellings(rule)
    .map((path) => ({ path, value: valueAt(config, path) }))
    .filter(({ value }) => !isAbsent(value));
  const other = said.find(({ value }) => !isSame(value, said[0]!.value));
  if (!other) return;
  const [{ path, value }] = said as [(typeof said)[number]];
  throw configError(`"${path}" is ${show(value)} and "${other.path}", which means the same, is ${show(other.value)}`);
}

/** For error messages. */
export const configFile = ({ path }: Pick<HfCheckpoint, 'path'>): string => join(path, 'config.json');

const isSame = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

function isValid(rule: KeyRule, value: unknown): boolean {
  if (Array.isArray(value))
    return rule.perBlock === true && value.length > 0 && value.every((item) => isOne(rule, item));
  return isOne(rule, value);
}

function isOne(rule: KeyRule, value: unknown): boolean {
  const { type, words } = rule;
  if (words) return typeof value === 'string' && Object.hasOwn(words, value);
  if (type === 'bool') return typeof value === 'boolean';
  if (type === 'string') return typeof value === 'string';
  if (typeof value !== 'number' || value > maxOf(rule)) return false;
  if (rule.min === undefined ? !(value > 0) : !(value >= rule.min)) return false;
  return type === 'float32' || Number.isInteger(value);
}

function wanted(rule: KeyRule): string {
  const { type, words, perBlock } = rule;
  if (words) return `one of ${Object.keys(words).join(', ')}`;
  if (type === 'bool') return 'true or false';
  if (type === 'string') return 'a text';
  const what = type === 'float32' ? 'a number' : 'an integer';
  return `${what} ${rule.min === undefined ? 'above 0' : `from ${rule.min}`}, at most ${maxOf(rule)}${perBlock ? ', or a list of them' : ''}`;
}

/** What functions of a record computed: a mistake there must not become a size. */
function checkMade(values: ConfigValues, config: Json, facts: Facts): void {
  for (const [rule, value] of values) {
    const items = Array.isArray(value) ? value : [value];
    if (items.every((item) => isOfType(rule.type, item)) && items.length <= maxListed) continue;
    const keys = readBy(rule, config, facts).map((key) => `"${key}" ${show(valueAt(config, key))}`);
    throw configError(`${keys.join(' and ')} cannot be: "${rule.gguf[0]}" would be ${show(value)}`);
  }
}

/** Keys of config.json that a rule has its value from. */
function readBy(rule: ConfigRule, config: Json, facts: Facts): string[] {
  if (!isMade(rule)) return [givenName(config, rule)];
  const tracked = trackedConfig(config);
  rule.made(tracked.config, facts);
  const asked = [...tracked.asked()];
  const isPart = (path: string) => asked.some((other) => other.startsWith(`${path}.`));
  return asked.filter((path) => !isAbsent(valueAt(config, path)) && !isPart(path));
}

function isOfType(type: ConfigType, value: unknown): boolean {
  if (type === 'bool') return typeof value === 'boolean';
  if (type === 'string') return typeof value === 'string';
  if (typeof value !== 'number' || !Number.isFinite(value)) return false;
  if (type === 'float32') return true;
  return Number.isInteger(value) && value <= maxNumber && value >= (type === 'uint32' ? 0 : -maxNumber);
}

function checkLists(values: ConfigValues, config: Json): void {
  for (const [rule, value] of values) {
    if (isMade(rule) || !rule.perBlock || !Array.isArray(value)) continue;
    const layers: unknown = config.num_hidden_layers;
    if (typeof layers === 'number' && value.length !== layers)
      throw configError(`"${givenName(config, rule)}" has ${value.length} entries for ${layers} layers`);
  }
}

/** Of a GGUF key: its number, and the keys of config.json that it comes from. */
interface NamedNumber {
  readonly value: number;
  readonly name: string;
}

type Numbers = (gguf: string) => NamedNumber | undefined;

/** The first number that becomes a GGUF key. */
const numbersOf =
  (values: ConfigValues, config: Json, facts: Facts): Numbers =>
  (gguf) => {
    for (const [rule, value] of values) {
      if (!rule.gguf.includes(gguf) || typeof value !== 'number') continue;
      const keys = readBy(rule, config, facts).map((key) => `"${key}"`);
      return { value, name: keys.join(' and ') || `"${gguf}"` };
    }
    return undefined;
  };

function checkExperts(at: Numbers): void {
  const [experts, used] = [at('expert_count'), at('expert_used_count')];
  if (experts && used && used.value > experts.value)
    throw configError(`${used.value} ${used.name} of ${experts.value} ${experts.name} cannot be used`);
  const [groups, open] = [at('expert_group_count'), at('expert_group_used_count')];
  if (experts && groups && (groups.value === 0 || experts.value % groups.value !== 0))
    throw configError(`${groups.value} ${groups.name} do not divide ${experts.value} ${experts.name}`);
  if (groups && open && (open.value === 0 || open.value > groups.value))
    throw configError(`${open.value} ${open.name} of ${groups.value} ${groups.name} cannot be used`);
}

function checkHeads(at: Numbers, { rope }: Pick<Architecture, 'rope'>): void {
  const [heads, kvHeads] = [at('attention.head_count'), at('attention.head_count_kv')];
  const [hidden, headDim] = [at('embedding_length'), at('attention.key_length')];
  if (!heads || !hidden) return;
  if (kvHeads && heads.value % kvHeads.value !== 0)
    throw configError(`${kvHeads.value} ${kvHeads.name} do not divide ${heads.value} ${heads.name}`);
  if (headDim === undefined && hidden.value % heads.value !== 0) {
    throw configError(
      `${heads.value} ${heads.name} do not divide ${hidden.name} ${hidden.value}, and there is no "head_dim"`,
    );
  }
  const size = headDim?.value ?? hidden.value / heads.value;
  const from = headDim?.name ?? `${hidden.name} and ${heads.name}`;
  if (size < 2 || size % 2 !== 0) throw configError(`the head size ${size} of ${from} is not even, rope needs pairs`);
  const turned = rope && at('rope.dimension_count');
  if (turned && (turned.value < 2 || turned.value % 2 !== 0 || turned.value > size))
    throw configError(`${turned.value} numbers of a head of ${size} cannot turn (${turned.name})`);
}

/** A value of a rule as GGUF stores it: lists of integers are int32 there, as gguf-py writes them. */
export function ggufValue({ type }: ConfigRule, value: ConfigValue): GgufValue {
  const one = (item: unknown) => (type === 'float32' ? Math.fround(Number(item)) : item);
  if (!Array.isArray(value)) return { type, value: one(value) } as GgufValue;
  return { type: 'array', of: type === 'uint32' ? 'int32' : type, value: value.map(one) } as GgufValue;
}

/**
 * The features of config.json that would change the result if they were ignored.
 * @throws QuernError `unsupported-config`, listing every offender
 */
export function checkSupported(
  { path, packing }: HfCheckpoint,
  tracked: TrackedConfig,
  architecture: Pick<Architecture, 'family' | 'fixed' | 'unsupported'>,
): void {
  const { config } = tracked;
  const offenders = architecture.fixed
    .map(({ key, missing, ...rest }) => ({ key, value: isAbsent(config[key]) ? missing : config[key], ...rest }))
    .filter(({ value, values }) => !isAbsent(value) && !values.some((accepted) => isSame(accepted, value)))
    .map(({ key, value, why }) => `"${key}": ${show(value)}${isAbsent(config[key]) ? ' by default' : ''} (${why})`);
  const other = architecture.unsupported?.(config);
  if (other !== undefined) offenders.push(other);
  const quantization = config.quantization_config;
  // What is packed in a known way was unpacked when the checkpoint was opened.
  if (!isAbsent(quantization) && !packing) {
    const method = (quantization as { quant_method?: unknown }).quant_method;
    offenders.push(
      `"quantization_config" (the weights are quantized${method ? ` by ${show(method)}` : ''}, and nothing unpacked them)`,
    );
  }
  if (offenders.length === 0) return;
  throw new QuernError(
    'unsupported-config',
    `config.json asks for what ${architecture.family} cannot do here: ${offenders.join('; ')}.`,
    { file: configFile({ path }), remedy: 'Converting without it would change what the model says.' },
  );
}

/**
 * Layers of another kind than full attention, where the record does not read them.
 * @throws QuernError `config-bad-value`, `unsupported-config`
 */
export function checkLayerTypes({ path }: HfCheckpoint, tracked: TrackedConfig, { family }: Architecture): void {
  if (tracked.asked().has('layer_types')) return;
  const types = perBlock<unknown>(tracked.config, 'layer_types') ?? [];
  const other = [...new Set(types.filter((type) => type !== 'full_attention'))];
  if (other.length === 0) return;
  throw new QuernError(
    'unsupported-config',
    `config.json asks for what ${family} cannot do here: "layer_types" with ${other.map(show).join(', ')} (only full attention is supported).`,
    { file: configFile({ path }), remedy: 'Converting without it would change what the model says.' },
  );
}
