// `completion_probabilities`: of each token its own log probability and those of the likeliest, with ids and bytes.
import type { TokenEvent } from '@quern/engine';
import type { Tokenizer } from '@quern/tokenizer';

const one = (tokenizer: Tokenizer, id: number, logprob: number) => {
  const bytes = tokenizer.decodeBytes([id], { special: true });
  return { id, token: wholeCharacters(bytes), bytes: [...bytes], logprob };
};

/** What a token holds of characters that are complete; a part of one has no text. */
const wholeCharacters = (bytes: Uint8Array): string => new TextDecoder().decode(bytes, { stream: true });

export const tokenProbabilities = (tokenizer: Tokenizer, tokens: readonly TokenEvent[]): object[] =>
  tokens.map(({ token, logprob, top = [] }) => ({
    ...one(tokenizer, token, logprob!),
    top_logprobs: top.map((other) => one(tokenizer, other.token, other.logprob)),
  }));
