// Another context than the file's: llama.cpp's flags for scaled positions, as the metadata that would say the same.
import { QuernError } from '@quern/errors';
import type { GgufValue } from '@quern/gguf';
import { parseNumber } from './parse-number.ts';

/** What a parser makes of `overrideFlags` (flags.ts). */
export interface RopeOptions {
  readonly ropeScaling?: string;
  readonly ropeScale?: string;
  readonly ropeFreqBase?: string;
  readonly ropeFreqScale?: string;
  readonly yarnOrigCtx?: string;
  readonly yarnExtFactor?: string;
  readonly yarnAttnFactor?: string;
  readonly yarnBetaSlow?: string;
  readonly yarnBetaFast?: string;
}

/** Keys without the architecture, and their values. Survives structured clone. */
export type RopeOverride = Readonly<Record<string, GgufValue>>;

const kinds = ['none', 'linear', 'yarn'];
const float = (value: number): GgufValue => ({ type: 'float32', value: Math.fround(value) });

/** @throws QuernError `usage-bad-number`, `usage-rope` */
export function readRopeOverride(options: RopeOptions): RopeOverride {
  const { ropeScaling: kind, yarnOrigCtx } = options;
  if (kind !== undefined && !kinds.includes(kind))
    throw new QuernError('usage-rope', `--rope-scaling must be ${kinds.join(', ')}, not '${kind}'.`);
  if (options.ropeScale !== undefined && options.ropeFreqScale !== undefined)
    throw new QuernError('usage-rope', '--rope-scale and --rope-freq-scale say the same: N and 1/N. Give one of them.');
  const number = (flag: string, text: string | undefined, min: number, max: number) =>
    text === undefined ? undefined : parseNumber(flag, text, min, max);
  const scale = number('--rope-scale', options.ropeScale, 1, 1e4);
  const inverse = number('--rope-freq-scale', options.ropeFreqScale, 1e-4, 1);
  const factor = scale ?? (inverse && 1 / inverse);
  const floats: Record<string, number | undefined> = {
    'rope.scaling.factor': factor,
    'rope.freq_base': number('--rope-freq-base', options.ropeFreqBase, 1, 1e12),
    'rope.scaling.yarn_ext_factor': number('--yarn-ext-factor', options.yarnExtFactor, 0, 1e3),
    'rope.scaling.yarn_attn_factor': number('--yarn-attn-factor', options.yarnAttnFactor, 0, 1e3),
    'rope.scaling.yarn_beta_slow': number('--yarn-beta-slow', options.yarnBetaSlow, 0, 1e6),
    'rope.scaling.yarn_beta_fast': number('--yarn-beta-fast', options.yarnBetaFast, 0, 1e6),
  };
  const original = number('--yarn-orig-ctx', yarnOrigCtx, 1, 2 ** 30);
  return {
    ...(kind !== undefined && { 'rope.scaling.type': { type: 'string', value: kind } as const }),
    ...(original !== undefined && {
      'rope.scaling.original_context_length': { type: 'uint32', value: Math.round(original) } as const,
    }),
    ...Object.fromEntries(
      Object.entries(floats).flatMap(([key, value]) => (value === undefined ? [] : [[key, float(value)]])),
    ),
  };
}
