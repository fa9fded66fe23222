// Fields that every completion response carries.
import { randomUUID } from 'node:crypto';
import type { GenerationEvent } from './generation.ts';

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

type End = Extract<GenerationEvent, { type: 'end' }>;

export const usage = (
  promptTokens: number,
  { completionTokens, cachedTokens, guesses }: Pick<End, 'completionTokens' | 'cachedTokens' | 'guesses'>,
): Usage => ({
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

/** What several replies to one prompt took together; the prompt counts once. */
export function usageOfAll(promptTokens: number, replies: readonly Usage[]): Usage {
  const sum = (of: (usage: Usage) => number | undefined): number =>
    replies.reduce((total, reply) => total + (of(reply) ?? 0), 0);
  const accepted = sum(({ completion_tokens_details: guesses }) => guesses?.accepted_prediction_tokens);
  const rejected = sum(({ completion_tokens_details: guesses }) => guesses?.rejected_prediction_tokens);
  return usage(promptTokens, {
    completionTokens: sum(({ completion_tokens: tokens }) => tokens),
    // The others find the whole prompt where the first has put it: what it had to compute is what the request cost.
    cachedTokens: Math.min(...replies.map(({ prompt_tokens_details: { cached_tokens: tokens } }) => tokens)),
    guesses: { guessed: accepted + rejected, accepted },
  });
}
