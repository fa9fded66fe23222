// What a reply took, in llama-server's words.
import type { ReplyCost } from './cost.ts';

export function timingsOf(cost: ReplyCost): object {
  const { promptTokens, cachedTokens, completionTokens, promptMs, generationMs, guesses } = cost;
  const computed = promptTokens - cachedTokens;
  // The first token comes with the end of the prompt: the time is that of the others.
  const steps = Math.max(0, completionTokens - 1);
  return {
    ...{ cache_n: cachedTokens, prompt_n: computed, prompt_ms: promptMs },
    ...{ prompt_per_token_ms: per(promptMs, computed), prompt_per_second: per(computed, promptMs / 1000) },
    ...{ predicted_n: completionTokens, predicted_ms: generationMs },
    predicted_per_token_ms: per(generationMs, steps),
    predicted_per_second: per(steps, generationMs / 1000),
    ...(guesses && guesses.guessed > 0 && { draft_n: guesses.guessed, draft_n_accepted: guesses.accepted }),
  };
}

const per = (amount: number, parts: number): number => (parts > 0 ? amount / parts : 0);
