// The request fields of vLLM that forbid tokens whatever the sampler would choose: `min_tokens`, `allowed_token_ids`, `bad_words`.
import type { GenerateOptions } from '@quern/engine';
import type { EncodeOptions, Tokenizer } from '@quern/tokenizer';
import { z } from 'zod';
import { tokenIds } from '../large-shapes.ts';

/** No vocabulary has more. */
const maxAllowed = 2 ** 18;

export const tokenRuleFields = {
  /** Neither a token nor a text of `stop` ends the reply before so many tokens. */
  min_tokens: z.int().min(0).nullish(),
  allowed_token_ids: tokenIds
    .refine(({ length }) => length > 0 && length <= maxAllowed, `expected 1 to ${maxAllowed} token ids`)
    .nullish(),
  bad_words: z.array(z.string().min(1).max(256)).max(256).nullish(),
};

const ruleShape = z.looseObject(tokenRuleFields);
type RuleRequest = z.infer<typeof ruleShape>;

/** @param marks texts that are forbidden too, special tokens among them */
export function tokenRules(
  { min_tokens: least, allowed_token_ids: allowed, bad_words: words }: RuleRequest,
  tokenizer: Tokenizer,
  marks: readonly string[] = [],
): Pick<GenerateOptions, 'minTokens' | 'allowedTokens' | 'bannedSequences'> {
  const banned = [
    ...(words ? spellingsOf(words, tokenizer) : []),
    ...marks.flatMap((mark) => spellings(mark, tokenizer, { parseSpecial: true })),
  ];
  return {
    ...(least ? { minTokens: least } : {}),
    ...(allowed ? { allowedTokens: allowed } : {}),
    ...(banned.length > 0 ? { bannedSequences: banned } : {}),
  };
}

/** Of requests that are being answered: several prompts may have them. */
const known = new WeakMap<readonly string[], number[][]>();

function spellingsOf(words: readonly string[], tokenizer: Tokenizer): number[][] {
  const found = known.get(words) ?? words.flatMap((word) => spellings(word, tokenizer));
  known.set(words, found);
  return found;
}

/** As vLLM: a word is forbidden by its tokens, at the beginning of a text and behind a space. */
const spellings = (word: string, tokenizer: Tokenizer, options?: EncodeOptions): number[][] =>
  ['', ' '].map((before) => [...tokenizer.encode(before + word.trimStart(), options)]).filter((ids) => ids.length > 0);
