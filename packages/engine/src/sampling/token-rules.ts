// What a request forbids beyond the sampler's stages, whatever those would choose: tokens outside of a list, ends of a reply that is
// too short, and words. Facts: vLLM's `allowed_token_ids`, `min_tokens`, `bad_words`.
import { QuernError } from '@quern/errors';

export interface TokenRuleOptions {
  /** No stop token before so many tokens of the reply. Default 0. */
  readonly minTokens?: number;
  /** All others are forbidden. Default: every token is allowed. */
  readonly allowedTokens?: readonly number[];
  /** What the reply must not contain, token by token. Default: nothing. */
  readonly bannedSequences?: readonly (readonly number[])[];
}

export class TokenRules {
  readonly #minTokens: number;
  readonly #stops: readonly number[];
  readonly #forbidden: readonly number[];
  readonly #banned: readonly (readonly number[])[];

  /** @throws QuernError `token-out-of-range`, `request-invalid` */
  constructor(options: TokenRuleOptions, stopTokens: readonly number[], vocabSize: number) {
    const { minTokens = 0, allowedTokens, bannedSequences = [] } = options;
    if (!Number.isSafeInteger(minTokens) || minTokens < 0)
      throw new QuernError('request-invalid', `minTokens must be an integer from 0 on, got ${minTokens}.`);
    if (bannedSequences.some((sequence) => sequence.length === 0))
      throw new QuernError('request-invalid', 'A banned sequence has no tokens.');
    for (const token of [...(allowedTokens ?? []), ...bannedSequences.flat()])
      if (!Number.isInteger(token) || token < 0 || token >= vocabSize)
        throw new QuernError('token-out-of-range', `Token ${token} is named; the vocabulary has ${vocabSize} tokens.`);
    this.#minTokens = minTokens;
    this.#stops = stopTokens;
    this.#banned = bannedSequences;
    const allowed = allowedTokens && new Set(allowedTokens);
    this.#forbidden = allowed ? Array.from({ length: vocabSize }, (_, id) => id).filter((id) => !allowed.has(id)) : [];
  }

  /** @param reply so far */
  apply(logits: Float32Array, reply: { readonly tokens: readonly number[]; readonly generated: number }): void {
    const { tokens, generated } = reply;
    for (const token of this.#forbidden) logits[token] = Number.NEGATIVE_INFINITY;
    if (generated < this.#minTokens) for (const token of this.#stops) logits[token] = Number.NEGATIVE_INFINITY;
    for (const sequence of this.#banned) {
      const before = sequence.length - 1;
      if (before > generated) continue;
      const start = tokens.length - before;
      if (sequence.every((token, at) => at === before || tokens[start + at] === token))
        logits[sequence[before]!] = Number.NEGATIVE_INFINITY;
    }
  }
}
