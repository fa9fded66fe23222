// The part of each head that rope turns, in all its spellings.
import { configError, isAbsent, show } from './config-error.ts';
import type { Json } from './config-rule.ts';

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
  const given = [rope.partial_rotary_factor, ...keys.map((key) => config[key])].find((value) => !isAbsent(value));
  if (given === undefined) return undefined;
  if (typeof given === 'number' && given > 0 && given <= 1) return given;
  throw configError(`"partial_rotary_factor" is ${show(given)}, a part of a whole is needed`);
}

/** The part that a whole number of scalars is, so that rounding down what it makes of the head gives that number again. */
export function partOf(dims: number, headDim: number): number {
  const exact = dims / headDim;
  return Math.floor(headDim * exact) === dims ? exact : (dims + 0.5) / headDim;
}
