// Fields that every completion response carries.

import type { ReplyCost } from '../generate/cost.ts';
import { randomId } from '../random-id.ts';
import { version } from '../version.ts';

/** `chatcmpl-…`, `cmpl-…` (clients look for `cmpl` in these) or `embd-…`. */
export const responseId = (prefix: 'chatcmpl' | 'cmpl' | 'embd'): string => randomId(`${prefix}-`);

/** What answers: another version may answer otherwise. */
export const fingerprint = { system_fingerprint: `quern-${version}` };

export const createdSeconds = (): number => Math.floor(Date.now() / 1000);

export interface Usage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
  prompt_tokens_details: { cached_tokens: number };
  /** Where the model thought, or tokens were guessed ahead: OpenAI's fields for that. */
  completion_tokens_details?: {
    reasoning_tokens?: number;
    accepted_prediction_tokens?: number;
    rejected_prediction_tokens?: number;
  };
}

export const usage = (cost: ReplyCost): Usage => {
  const { promptTokens, completionTokens, cachedTokens } = cost;
  const details = { ...reasoningDetails(cost), ...guessDetails(cost) };
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
    prompt_tokens_details: { cached_tokens: cachedTokens },
    ...(Object.keys(details).length > 0 && { completion_tokens_details: details }),
  };
};

const reasoningDetails = ({ reasoningTokens = 0 }: ReplyCost) =>
  reasoningTokens > 0 ? { reasoning_tokens: reasoningTokens } : {};

const guessDetails = ({ guesses }: ReplyCost) =>
  guesses && guesses.guessed > 0
    ? {
        accepted_prediction_tokens: guesses.accepted,
        rejected_prediction_tokens: guesses.guessed - guesses.accepted,
      }
    : {};
