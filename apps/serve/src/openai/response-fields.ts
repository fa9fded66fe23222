// Fields that every completion response carries.
import { randomUUID } from 'node:crypto';
import type { ReplyCost } from '../generate/cost.ts';

/** `chatcmpl-…` or `cmpl-…`: clients look for `cmpl` in it. */
export const responseId = (prefix: 'chatcmpl' | 'cmpl'): string => `${prefix}-${randomUUID().replaceAll('-', '')}`;

export const createdSeconds = (): number => Math.floor(Date.now() / 1000);

export interface Usage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
  prompt_tokens_details: { cached_tokens: number };
  /** Where tokens were guessed ahead: OpenAI's fields for that. */
  completion_tokens_details?: { accepted_prediction_tokens: number; rejected_prediction_tokens: number };
}

export const usage = ({ promptTokens, completionTokens, cachedTokens, guesses }: ReplyCost): Usage => ({
  prompt_tokens: promptTokens,
  completion_tokens: completionTokens,
  total_tokens: promptTokens + completionTokens,
  prompt_tokens_details: { cached_tokens: cachedTokens },
  ...(guesses &&
    guesses.guessed > 0 && {
      completion_tokens_details: {
        accepted_prediction_tokens: guesses.accepted,
        rejected_prediction_tokens: guesses.guessed - guesses.accepted,
      },
    }),
});
