// What a reply took, in numbers and in words.
import type { FinishEvent } from '@quern/engine';
import { formatDuration } from '@quern/terminal';

export interface Figures {
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly completionTokens: number;
  readonly seed: number;
  readonly promptMs: number;
  readonly generationMs: number;
  /** Of prompt tokens that were computed; undefined when that took no time. */
  readonly promptTokensPerSecond?: number;
  /** Of tokens behind the first. */
  readonly tokensPerSecond?: number;
}

export function figuresOf({ promptTokens, cachedTokens, generatedTokens, seed, timings }: FinishEvent): Figures {
  const { promptMs, generationMs } = timings;
  const rate = (tokens: number, ms: number) =>
    ms > 0 && tokens > 0 ? Number(((1000 * tokens) / ms).toPrecision(4)) : undefined;
  return {
    ...{ promptTokens, cachedTokens, completionTokens: generatedTokens, seed, promptMs, generationMs },
    promptTokensPerSecond: rate(promptTokens - cachedTokens, promptMs),
    tokensPerSecond: rate(generatedTokens - 1, generationMs),
  };
}

export function speedText(end: FinishEvent): string {
  const { promptTokens, cachedTokens, completionTokens, promptMs, generationMs, ...rates } = figuresOf(end);
  const perSecond = (rate: number | undefined) => (rate === undefined ? '' : `, ${rate.toFixed(1)} tokens/s`);
  const cached = cachedTokens > 0 ? ` (${cachedTokens} kept from before)` : '';
  return [
    `prompt: ${promptTokens} tokens${cached} in ${formatDuration(promptMs)}${perSecond(rates.promptTokensPerSecond)}`,
    `reply: ${completionTokens} tokens in ${formatDuration(generationMs)}${perSecond(rates.tokensPerSecond)}`,
  ].join('; ');
}
