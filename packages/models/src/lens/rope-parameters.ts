// Rope settings of config.json, old and new. transformers 5 writes `rope_parameters {rope_type, rope_theta, …}`; before,
// it was `rope_theta` beside `rope_scaling {rope_type or type, …}`. Both become one shape, then GGUF keys in the order of
// TextModel.set_gguf_parameters (llama.cpp conversion/base.py).
import type { HfCheckpoint } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import type { GgufValue } from '@quern/gguf';
import type { Architecture, RopeType } from '../arch/architecture.ts';
import { configFile, isAbsent, show } from './config-reader.ts';

export interface Llama3Rope {
  factor: number;
  lowFreqFactor: number;
  highFreqFactor: number;
  originalContext: number;
}

export interface RopeParameters {
  type: RopeType;
  theta: number;
  /** Set for `linear`, `yarn` and `llama3`. */
  factor?: number;
  originalContext?: number;
  extFactor?: number;
  attnFactor?: number;
  betaFast?: number;
  betaSlow?: number;
  llama3?: Llama3Rope;
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

/** Keys that would change the angles and that GGUF has no place for. */
const unmapped: readonly { key: string; harmless: readonly unknown[] }[] = [
  { key: 'partial_rotary_factor', harmless: [1] },
  { key: 'mscale', harmless: [] },
  { key: 'mscale_all_dim', harmless: [] },
  { key: 'truncate', harmless: [true] },
  { key: 'mrope_section', harmless: [] },
  { key: 'full_attention', harmless: [] },
  { key: 'sliding_attention', harmless: [] },
];

/**
 * @param contextLength `max_position_embeddings`, what transformers takes for a missing original context
 * @throws QuernError `unsupported-rope`, `config-bad-value`
 */
export function ropeParameters(
  checkpoint: HfCheckpoint,
  architecture: Architecture,
  contextLength: number,
): RopeParameters {
  const { config } = checkpoint;
  const file = configFile(checkpoint);
  const fail = (code: string, why: string, remedy?: string): never => {
    throw new QuernError(code, `config.json: ${why}.`, { file, remedy });
  };
  const given = config.rope_parameters ?? config.rope_scaling ?? {};
  if (typeof given !== 'object' || Array.isArray(given)) {
    return fail('config-bad-value', `the rope parameters are ${show(given)}, an object is needed`);
  }
  const rope = given as Record<string, unknown>;
  const type = (rope.rope_type ?? rope.type ?? 'default') as RopeType;
  if (!architecture.ropeTypes.includes(type)) {
    return fail(
      'unsupported-rope',
      `rope type ${show(type)} is not supported for ${architecture.family}`,
      `Supported: ${architecture.ropeTypes.join(', ')}.`,
    );
  }
  for (const { key, harmless } of unmapped) {
    if (isAbsent(rope[key]) || harmless.includes(rope[key])) continue;
    return fail('unsupported-rope', `rope parameter "${key}": ${show(rope[key])} is not supported`);
  }
  const optional = (key: string, value: unknown): number | undefined => {
    if (isAbsent(value)) return undefined;
    if (typeof value === 'number' && Number.isFinite(value) && value > 0) return value;
    return fail('config-bad-value', `rope parameter "${key}" is ${show(value)}, a positive number is needed`);
  };
  const required = (key: string): number =>
    optional(key, rope[key]) ?? fail('config-bad-value', `rope type "${type}" needs "${key}"`);

  const theta = optional('rope_theta', rope.rope_theta ?? config.rope_theta) ?? architecture.ropeTheta ?? defaultTheta;
  if (type === 'default') return { type, theta };
  const factor = required('factor');
  if (type === 'linear') return { type, theta, factor };
  const originalContext =
    optional(
      'original_max_position_embeddings',
      config.original_max_position_embeddings ?? rope.original_max_position_embeddings,
    ) ?? contextLength;
  if (type === 'llama3') {
    const llama3 = {
      factor,
      lowFreqFactor: required('low_freq_factor'),
      highFreqFactor: required('high_freq_factor'),
      originalContext,
    };
    if (llama3.highFreqFactor <= llama3.lowFreqFactor) {
      fail(
        'config-bad-value',
        `"high_freq_factor" ${llama3.highFreqFactor} is not above "low_freq_factor" ${llama3.lowFreqFactor}`,
      );
    }
    return { type, theta, factor, originalContext, llama3 };
  }
  const yarn = yarnKeys.map(({ field, hf, alias }) => [field, optional(hf, rope[hf] ?? (alias && rope[alias]))]);
  return { type, theta, factor, originalContext, ...Object.fromEntries(yarn) };
}

/** Keys without the architecture's prefix, in the converter's order. llama3's factors are a tensor, not metadata. */
export function ropeMetadata(rope: RopeParameters): [string, GgufValue][] {
  const float = (key: string, value: number | undefined): [string, GgufValue][] =>
    value === undefined ? [] : [[key, { type: 'float32', value: Math.fround(value) }]];
  const scaling: [string, GgufValue][] = [];
  if (rope.type === 'linear' || rope.type === 'yarn') {
    scaling.push(
      ['rope.scaling.type', { type: 'string', value: rope.type }],
      ...float('rope.scaling.factor', rope.factor),
    );
  }
  if (rope.type === 'yarn') {
    scaling.push(
      ['rope.scaling.original_context_length', { type: 'uint32', value: rope.originalContext ?? 0 }],
      ...yarnKeys.flatMap(({ field, gguf }) => float(gguf, rope[field])),
    );
  }
  return [...scaling, ...float('rope.freq_base', rope.theta)];
}
