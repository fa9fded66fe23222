// `completion_probabilities`: of each token its own log probability and those of the likeliest, with ids and bytes.
import type { TokenEvent } from '@quern/engine';
import type { Tokenizer } from '@quern/tokenizer';

const named = (tokenizer: Tokenizer, id: number) => {
  const bytes = tokenizer.decodeBytes([id], { special: true });
  return { id, token: wholeCharacters(bytes), bytes: [...bytes] };
};

/** What a token holds of characters that are complete; a part of one has no text. */
const wholeCharacters = (bytes: Uint8Array): string => new TextDecoder().decode(bytes, { stream: true });

/** @param afterSampling as the sampler made them, instead of the model's own */
export const tokenProbabilities = (
  tokenizer: Tokenizer,
  tokens: readonly TokenEvent[],
  afterSampling: boolean,
): object[] =>
  tokens.map(({ token, logprob, top = [], probability, likeliest = [] }) =>
    afterSampling
      ? {
          ...{ ...named(tokenizer, token), prob: probability },
          top_probs: likeliest.map((other) => ({ ...named(tokenizer, other.token), prob: other.probability })),
        }
      : {
          ...{ ...named(tokenizer, token), logprob },
          top_logprobs: top.map((other) => ({ ...named(tokenizer, other.token), logprob: other.logprob })),
        },
  );
