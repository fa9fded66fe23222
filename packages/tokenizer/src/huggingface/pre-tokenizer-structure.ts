// Which pre-tokenizer a tokenizer.json describes, told by its structure: every step is written as the regular expression
// that it amounts to, in the dialect of the pre-tokenizer table, and looked up there.

import { ExpressionError } from '../expression/reader.ts';
import * as patterns from '../pre-tokenizer/patterns.ts';
import { preTokenizersWithPatterns } from '../pre-tokenizer/pre-tokenizers.ts';
import { isObject, type JsonObject } from './checkpoint-files.ts';

/** Names for `tokenizer.ggml.pre`, the best first; none when nobody has named what is done. */
export function preTokenizersLike(preTokenizer: unknown, ignoreMerges: boolean): readonly string[] {
  const steps = stepsOf(preTokenizer);
  if (steps === undefined) return [];
  try {
    return preTokenizersWithPatterns(steps, ignoreMerges);
  } catch (error) {
    // What is wrong with it shows when it is compiled.
    if (error instanceof ExpressionError) return [];
    throw error;
  }
}

/** Undefined: a step is more than cutting at the matches of an expression. */
function stepsOf(value: unknown): string[] | undefined {
  if (value === null || value === undefined) return [];
  if (!isObject(value)) return undefined;
  switch (value.type) {
    case 'Sequence': {
      if (!Array.isArray(value.pretokenizers)) return undefined;
      const steps = value.pretokenizers.map(stepsOf);
      return steps.includes(undefined) ? undefined : steps.flatMap((step) => step ?? []);
    }
    case 'Split':
      return splitPattern(value);
    case 'Digits':
      return [value.individual_digits === true ? patterns.digit : patterns.digits];
    case 'Punctuation':
      return value.behavior === 'Contiguous' ? [patterns.falconPunctuation] : undefined;
    case 'ByteLevel':
      if (value.add_prefix_space === true) return undefined;
      return value.use_regex === false ? [] : [patterns.gpt2];
    default:
      return undefined;
  }
}

function splitPattern({ pattern, behavior, invert }: JsonObject): string[] | undefined {
  // "Removed" and "invert" keeps the matches and drops the rest; the expressions in use leave no rest.
  const keepsMatches = behavior === 'Isolated' || (behavior === 'Removed' && invert === true);
  return isObject(pattern) && typeof pattern.Regex === 'string' && keepsMatches ? [pattern.Regex] : undefined;
}
