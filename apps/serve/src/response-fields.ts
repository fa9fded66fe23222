// Fields that every completion response carries.
import { randomUUID } from 'node:crypto';

/** `chatcmpl-…` or `cmpl-…`: clients look for `cmpl` in it. */
export const responseId = (prefix: 'chatcmpl' | 'cmpl'): string => `${prefix}-${randomUUID().replaceAll('-', '')}`;

export const createdSeconds = (): number => Math.floor(Date.now() / 1000);

export interface Usage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
  prompt_tokens_details: { cached_tokens: number };
}

/** @param cachedTokens prompt tokens whose keys and values were already there */
export const usage = (promptTokens: number, completionTokens: number, cachedTokens: number): Usage => ({
  prompt_tokens: promptTokens,
  completion_tokens: completionTokens,
  total_tokens: promptTokens + completionTokens,
  prompt_tokens_details: { cached_tokens: cachedTokens },
});
