// What replies took, in tokens and in time.

/** Tokens that were guessed ahead, and those of them that were right. */
export interface Guesses {
  readonly guessed: number;
  readonly accepted: number;
}

export interface ReplyCost {
  readonly promptTokens: number;
  readonly completionTokens: number;
  /** Of the prompt's, those that needed no computation. */
  readonly cachedTokens: number;
  readonly guesses?: Guesses;
  /** Of the completion's, those of reasoning. */
  readonly reasoningTokens?: number;
  /** Milliseconds until the first token, waiting not included where the engine has told so, and from there to the last. */
  readonly promptMs: number;
  readonly generationMs: number;
}

/** Of a reply whose prompt is still to be computed. */
export const untouched = (promptTokens: number): ReplyCost => ({
  ...{ promptTokens, completionTokens: 0, cachedTokens: 0, promptMs: 0, generationMs: 0 },
});

/** What several prompts took together, each with all its replies. */
export function costOfPrompts(prompts: readonly ReplyCost[]): ReplyCost {
  const total = costOfAll(prompts);
  const sum = (of: (cost: ReplyCost) => number): number => prompts.reduce((all, prompt) => all + of(prompt), 0);
  return {
    ...total,
    promptTokens: sum(({ promptTokens }) => promptTokens),
    cachedTokens: sum(({ cachedTokens }) => cachedTokens),
  };
}

/** What several replies to one prompt took together; the prompt counts once. */
export function costOfAll(replies: readonly ReplyCost[]): ReplyCost {
  const sum = (of: (cost: ReplyCost) => number | undefined): number =>
    replies.reduce((total, reply) => total + (of(reply) ?? 0), 0);
  return {
    promptTokens: replies[0]!.promptTokens,
    completionTokens: sum(({ completionTokens }) => completionTokens),
    // The others find the whole prompt where the first has put it: what it had to compute is what the request cost.
    cachedTokens: Math.min(...replies.map(({ cachedTokens }) => cachedTokens)),
    promptMs: replies[0]!.promptMs,
    generationMs: Math.max(...replies.map(({ generationMs }) => generationMs)),
    reasoningTokens: sum(({ reasoningTokens }) => reasoningTokens),
    guesses: { guessed: sum(({ guesses }) => guesses?.guessed), accepted: sum(({ guesses }) => guesses?.accepted) },
  };
}
