// The part of each head that rope turns, in all its spellings.
import { configError, isAbsent, isObject, show } from './config-error.ts';
import type { Json, MadeRule } from './config-rule.ts';

/** Beside the rope parameters; those inside are called `partial_rotary_factor`. */
const keys = ['partial_rotary_factor', 'rotary_pct', 'rope_pct', 'rotary_emb_fraction'];

/**
 * @param rope the rope parameters (of one kind of layer)
 * @throws QuernError `config-bad-value`
 */
export function rotaryPart(
  config: Json,
  rope: Json = config.rope_parameters ?? config.rope_scaling ?? {},
): number | undefined {
  const said = [['partial_rotary_factor', rope] as const, ...keys.map((key) => [key, config] as const)]
    .map(([key, from]) => ({ key, value: from[key] as unknown }))
    .filter(({ value }) => !isAbsent(value));
  const bad = said.find(({ value }) => !(typeof value === 'number' && value > 0 && value <= 1));
  if (bad) throw configError(`"${bad.key}" is ${show(bad.value)}, a part of a whole is needed`);
  const other = said.find(({ value }) => value !== said[0]!.value);
  if (other) {
    const [{ key, value }] = said as [(typeof said)[number]];
    throw configError(`"${key}" is ${value} and "${other.key}", which means the same, is ${other.value}`);
  }
  return said[0]?.value as number | undefined;
}

/** The rope parameters of a kind of layer, where config.json has them by kind. */
export const ropeOfKind = ({ rope_parameters: rope }: Json, kind: string): Json | undefined =>
  isObject(rope) && isObject(rope[kind]) ? rope[kind] : undefined;

/** The part that a whole number of scalars is, so that rounding down what it makes of the head gives that number again. */
export function partOf(dims: number, headDim: number): number {
  const exact = dims / headDim;
  return Math.floor(headDim * exact) === dims ? exact : (dims + 0.5) / headDim;
}

/**
 * How many scalars of a head rope turns.
 * @param part when config.json says nothing
 */
export const rotaryDims = (
  part: number,
  headDim: (config: Json) => number,
  key: 'partial_rotary_factor' | 'rotary_pct' = 'partial_rotary_factor',
): MadeRule => ({
  gguf: ['rope.dimension_count'],
  type: 'uint32',
  made: (config) => Math.floor((rotaryPart(config) ?? part) * headDim(config)),
  back: (numbers) => ({
    [key]: partOf(
      numbers.at('rope.dimension_count')!,
      numbers.at('attention.key_length') ?? numbers.at('embedding_length')! / numbers.at('attention.head_count')!,
    ),
  }),
});
