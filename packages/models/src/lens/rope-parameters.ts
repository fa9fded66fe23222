// Rope settings of config.json in all their dialects: `rope_theta` beside `rope_scaling {rope_type or type, …}` and keys for
// window layers (before transformers 5), `rope_parameters {rope_type, rope_theta, …}` flat or one per kind of layer (since).
// They become one shape, then GGUF keys in the order of TextModel.set_gguf_parameters (llama.cpp conversion/base.py).
import { QuernError } from '@quern/errors';
import type { GgufValue } from '@quern/gguf';
import type { Architecture } from '../arch/architecture.ts';
import { configError, isAbsent, isObject, show } from '../arch/config-error.ts';
import type { Json, RopeRule, RopeType } from '../arch/config-rule.ts';
import { rotaryPart } from '../arch/rotary-part.ts';

export interface Llama3Rope {
  factor: number;
  lowFreqFactor: number;
  highFreqFactor: number;
  originalContext: number;
}

/** Divisors of each pair's frequency, for short texts and for long ones. */
export interface LongRope {
  short: readonly number[];
  long: readonly number[];
}

/** Of one kind of layer. */
export interface RopeParameters {
  type: RopeType;
  theta: number;
  /** The part of each head that turns; undefined: what the architecture's record says. */
  partial?: number;
  /** Set for `linear`, `yarn` and `llama3`. */
  factor?: number;
  originalContext?: number;
  extFactor?: number;
  attnFactor?: number;
  betaFast?: number;
  betaSlow?: number;
  /** yarn: whether its range is rounded, where that is not what the architecture does. */
  truncate?: boolean;
  llama3?: Llama3Rope;
  longrope?: LongRope;
  /** How a head's pairs are shared out to time, height and width (mRoPE). */
  sections?: readonly number[];
}

export interface RopeOfModel {
  full: RopeParameters;
  /** Of window layers, where they have their own. */
  window?: RopeParameters;
}

// transformers: `default_theta` of a configuration class that names none.
const defaultTheta = 10000;

interface YarnKey {
  field: 'extFactor' | 'attnFactor' | 'betaFast' | 'betaSlow';
  hf: string;
  alias?: string;
  /** Without the architecture's prefix. */
  gguf: string;
}

/** Optional settings of `yarn`, in the converter's order. */
export const yarnKeys: readonly YarnKey[] = [
  { field: 'extFactor', hf: 'extrapolation_factor', gguf: 'rope.scaling.yarn_ext_factor' },
  { field: 'attnFactor', hf: 'attention_factor', alias: 'attn_factor', gguf: 'rope.scaling.yarn_attn_factor' },
  { field: 'betaFast', hf: 'beta_fast', gguf: 'rope.scaling.yarn_beta_fast' },
  { field: 'betaSlow', hf: 'beta_slow', gguf: 'rope.scaling.yarn_beta_slow' },
];

/** Spellings of the base of window layers, before transformers 5. */
const windowThetaKeys = ['rope_local_base_freq', 'swa_rope_theta', 'local_rope_theta'];

/**
 * @param contextLength `max_position_embeddings`, what transformers takes for a missing original context
 * @throws QuernError `unsupported-rope`, `config-bad-value`
 */
export function ropeOfModel(config: Json, architecture: Architecture, contextLength: number): RopeOfModel | undefined {
  const { rope: rule } = architecture;
  if (!rule) return undefined;
  const given = settingsOf(config) ?? rule.missing ?? {};
  const perKind = isObject(given.full_attention) || isObject(given.sliding_attention);
  const full = perKind ? objectAt(given, 'full_attention') : given;
  const window = isAbsent(given.sliding_attention) ? undefined : objectAt(given, 'sliding_attention');
  if (perKind && !rule.window) {
    throw new QuernError(
      'unsupported-rope',
      `config.json: rope parameters for each kind of layer ("full_attention", "sliding_attention") are not supported for ${architecture.family}.`,
    );
  }
  const read = (settings: Json, theta: number, types: readonly RopeType[]) =>
    ropeParameters(config, settings, { ...architecture, rope: { ...rule, types } }, contextLength, theta);
  const result: RopeOfModel = { full: read(full, rule.theta ?? defaultTheta, rule.types) };
  if (!rule.window) return result;
  const named = windowThetaKeys.map((key) => positive(key, config[key])).find((value) => value !== undefined);
  const base = named ?? rule.window.theta;
  // GGUF has one scaling for all layers, which llama.cpp leaves to those that see far.
  if (window) result.window = read(window, base ?? rule.theta ?? defaultTheta, ['default']);
  // Scaling is for the layers that see far: the others have their base and nothing else.
  else if (base !== undefined && !(perKind && rule.window.byKind)) result.window = { type: 'default', theta: base };
  return result;
}

/** `rope_parameters`, else `rope_scaling`. A file that has both must say the same in both. */
function settingsOf(config: Json): Json | undefined {
  const keys = ['rope_parameters', 'rope_scaling'] as const;
  for (const key of keys) {
    if (!isAbsent(config[key]) && !isObject(config[key]))
      throw configError(`the rope parameters "${key}" are ${show(config[key])}, an object is needed`);
  }
  const [now, before] = keys.map((key) => config[key]);
  const type = (settings: Json) => settings.rope_type ?? settings.type ?? 'default';
  if (isObject(now) && isObject(before) && !isObject(now.full_attention) && !isObject(now.sliding_attention)) {
    if (type(now) !== type(before))
      throw configError(`"rope_parameters" say ${show(type(now))} and "rope_scaling" says ${show(type(before))}`);
    for (const key of Object.keys(before).filter((name) => name !== 'type' && name !== 'rope_type')) {
      if (!isAbsent(now[key]) && JSON.stringify(now[key]) !== JSON.stringify(before[key]))
        throw configError(
          `"${key}" is ${show(now[key])} in "rope_parameters" and ${show(before[key])} in "rope_scaling"`,
        );
    }
  }
  return now ?? before ?? undefined;
}

function objectAt(given: Json, key: string): Json {
  const value: unknown = given[key];
  if (isAbsent(value)) return {};
  if (isObject(value)) return value;
  throw configError(`the rope parameters "${key}" are ${show(value)}, an object is needed`);
}

function positive(key: string, value: unknown): number | undefined {
  if (isAbsent(value)) return undefined;
  if (typeof value === 'number' && Number.isFinite(value) && value > 0) return value;
  throw configError(`rope parameter "${key}" is ${show(value)}, a positive number is needed`);
}

function ropeParameters(
  config: Json,
  rope: Json,
  { rope: rule, family }: Architecture,
  contextLength: number,
  thetaWhenAbsent: number,
): RopeParameters {
  const stated: unknown = rope.rope_type ?? rope.type ?? 'default';
  if (typeof stated !== 'string') throw configError(`rope parameter "rope_type" is ${show(stated)}, a text is needed`);
  // Phi-3's first name for it.
  const type = (stated === 'su' ? 'longrope' : stated) as RopeType;
  if (!rule!.types.includes(type)) {
    throw new QuernError('unsupported-rope', `config.json: rope type ${show(stated)} is not supported for ${family}.`, {
      remedy: `Supported: ${rule!.types.join(', ')}.`,
    });
  }
  const required = (key: string): number => {
    const value = positive(key, rope[key]);
    if (value === undefined) throw configError(`rope type "${type}" needs "${key}"`);
    return value;
  };
  const nested = positive('rope_theta', rope.rope_theta);
  const beside = positive('rope_theta', config.rope_theta) ?? positive('rotary_emb_base', config.rotary_emb_base);
  if (nested !== undefined && beside !== undefined && nested !== beside)
    throw configError(`"rope_theta" is ${nested} in the rope parameters and ${beside} beside them`);
  const theta = nested ?? beside ?? thetaWhenAbsent;
  const common = {
    type,
    theta,
    ...partialOf(config, rope, rule!.partial !== undefined),
    ...sectionsOf(rope, rule!.sections),
  };
  if (type === 'default' || type === 'proportional') return common;
  // Hunyuan's name for a base that alpha has stretched once and for all; transformers looks at nothing else then.
  if (type === 'dynamic') return { ...common, type: 'default', theta: stretched(theta, required('alpha'), config) };
  // Both places are read: what one says is no news in the other.
  const [outside, inside] = [config, rope].map((from) =>
    positive('original_max_position_embeddings', from.original_max_position_embeddings),
  );
  const originalContext = outside ?? inside ?? contextLength;
  if (type === 'longrope') {
    const longrope = { short: factors(rope, 'short_factor'), long: factors(rope, 'long_factor') };
    return { ...common, originalContext, attnFactor: longRopeFactor(rope, originalContext, contextLength), longrope };
  }
  const factor = required('factor');
  if (type === 'linear') return { ...common, factor };
  if (type === 'llama3') {
    const [lowFreqFactor, highFreqFactor] = [required('low_freq_factor'), required('high_freq_factor')];
    if (highFreqFactor <= lowFreqFactor)
      throw configError(`"high_freq_factor" ${highFreqFactor} is not above "low_freq_factor" ${lowFreqFactor}`);
    return { ...common, factor, originalContext, llama3: { factor, lowFreqFactor, highFreqFactor, originalContext } };
  }
  const yarn = yarnKeys.map(({ field, hf, alias }) => [field, positive(hf, rope[hf] ?? (alias && rope[alias]))]);
  return { ...common, factor, originalContext, ...Object.fromEntries(yarn), ...unusualTruncate(rope, rule!.truncate) };
}

/** NTK-aware scaling: the slowest pair turns `alpha` times slower, the fastest as before. */
function stretched(theta: number, alpha: number, config: Json): number {
  const dims: unknown = config.head_dim ?? Math.floor(config.hidden_size / config.num_attention_heads);
  if (typeof dims === 'number' && dims > 2) return theta * alpha ** (dims / (dims - 2));
  throw configError(`heads of ${show(dims)} scalars have no pairs whose base "alpha" could stretch`);
}

/** transformers rounds unless told otherwise. */
function unusualTruncate({ truncate = true }: Json, usual = true): { truncate?: boolean } {
  if (typeof truncate !== 'boolean')
    throw configError(`rope parameter "truncate" is ${show(truncate)} (needed: true or false)`);
  return truncate === usual ? {} : { truncate };
}

/** Multiplies cos and sin (transformers modeling_rope_utils.py, llama.cpp conversion/phi.py). */
function longRopeFactor(rope: Json, original: number, context: number): number {
  const scale = context / original;
  const given = positive('attention_factor', rope.attention_factor);
  return given ?? (scale <= 1 ? 1 : Math.sqrt(1 + Math.log(scale) / Math.log(original)));
}

/** @throws QuernError `unsupported-rope` where rope must cover the whole head and does not */
function partialOf(config: Json, rope: Json, allowed: boolean): { partial?: number } {
  const partial = rotaryPart(config, rope);
  if (partial === undefined || (partial === 1 && !allowed)) return {};
  if (allowed) return { partial };
  throw new QuernError(
    'unsupported-rope',
    `config.json: rope parameter "partial_rotary_factor": ${partial} is not supported (rope covers the whole head).`,
  );
}

function sectionsOf(rope: Json, rule: true | readonly number[] | undefined): { sections?: readonly number[] } {
  if (!rule) return {};
  const given: unknown = rope.mrope_section;
  if (isAbsent(given)) return rule === true ? {} : { sections: rule };
  const isList =
    Array.isArray(given) && given.length <= 4 && given.every((n) => Number.isInteger(n) && n >= 0 && n < 4096);
  if (!isList)
    throw configError(`rope parameter "mrope_section" is ${show(given)}, a list of at most 4 sizes is needed`);
  return { sections: [...given, 0, 0, 0, 0].slice(0, 4) };
}

/** @throws QuernError `config-bad-value` where config.json shares out another number of pairs than turn */
export function checkSections(config: Json, { full: { sections } }: RopeOfModel, pairs: number): void {
  const { mrope_section: given } = settingsOf(config) ?? {};
  const shared = sections?.reduce((sum, size) => sum + size, 0);
  if (shared === undefined || isAbsent(given) || shared === pairs) return;
  throw configError(`rope parameter "mrope_section" ${show(given)} shares out ${shared} pairs of ${pairs}`);
}

function factors(rope: Json, key: string): readonly number[] {
  const given: unknown = rope[key];
  const isList = Array.isArray(given) && given.length <= 4096 && given.every((n) => Number.isFinite(n) && n > 0);
  if (isList) return given;
  throw configError(`rope type "longrope" needs "${key}", a list of positive numbers`);
}

/** Keys without the architecture's prefix, in the converter's order. Factors of single pairs are tensors, not metadata. */
export function ropeMetadata(
  { full, window }: RopeOfModel,
  { baseUnwritten }: Pick<RopeRule, 'baseUnwritten'> = {},
): [string, GgufValue][] {
  const float = (key: string, value: number | undefined): [string, GgufValue][] =>
    value === undefined ? [] : [[key, { type: 'float32', value: Math.fround(value) }]];
  const { type, sections } = full;
  const keys: [string, GgufValue][] = [];
  if (type === 'linear' || type === 'yarn') keys.push(['rope.scaling.type', { type: 'string', value: type }]);
  if (type === 'longrope') keys.push(...float('rope.scaling.attn_factor', full.attnFactor));
  if (type === 'linear' || type === 'yarn') keys.push(...float('rope.scaling.factor', full.factor));
  if (type === 'yarn') {
    keys.push(
      ['rope.scaling.original_context_length', { type: 'uint32', value: full.originalContext ?? 0 }],
      ...yarnKeys.flatMap(({ field, gguf }) => float(gguf, full[field])),
    );
  }
  // llama.cpp has no such key: it always rounds.
  if (full.truncate !== undefined) keys.push(['rope.scaling.yarn_truncate', { type: 'bool', value: full.truncate }]);
  if (sections) keys.push(['rope.dimension_sections', { type: 'array', of: 'int32', value: sections }]);
  const base = baseUnwritten && full.theta === defaultTheta ? undefined : full.theta;
  return [...keys, ...float('rope.freq_base', base), ...float('rope.freq_base_swa', window?.theta)];
}
