// How a text of tokens becomes windows that are evaluated from an empty cache, and which tokens of each are scored.
// A figure means something only beside figures of the same profile:
//
//   llama.cpp-512  windows of n tokens that do not overlap; only the second half is scored: tokens n/2+1 … n-1. Models that
//                  want BOS see it in place of a window's first token (llama.cpp tools/perplexity).
//   paper-2048     windows of n tokens that do not overlap, all tokens but the first of each scored; BOS only where the
//                  text begins (evaluation loops of GPTQ's and AWQ's authors).
//   hf-stride      window w covers tokens w·s … w·s+n; it scores those that no earlier window has covered, so that each has
//                  at least n-s tokens of context (transformers, "Perplexity of fixed-length models").
//
// A tail that does not fill a window is left out, but for hf-stride, whose last window scores what is left.
export interface WindowShape {
  /** n */
  readonly contextTokens: number;
  /** s; only `hf-stride` has one. */
  readonly strideTokens?: number;
}

/** Of one window, in tokens from the beginning of the text. */
export interface WindowSpan {
  readonly begin: number;
  readonly end: number;
  /** First token that is scored; at least begin + 1. */
  readonly firstTarget: number;
}

export interface Profile extends WindowShape {
  readonly name: string;
  /** The line of `--help` and of reports. */
  readonly summary: string;
  /** BOS stands in place of the first token of every window. */
  readonly replacesFirstByBos: boolean;
  /** One newline at the end of the text is left out. */
  readonly dropsFinalNewline: boolean;
  /** Tokens of the shortest text. */
  needed(shape: WindowShape): number;
  count(tokens: number, shape: WindowShape): number;
  span(index: number, tokens: number, shape: WindowShape): WindowSpan;
}

export const profiles: readonly Profile[] = [
  {
    name: 'llama.cpp-512',
    summary: 'windows of 512 that do not overlap, the second half of each scored (llama-perplexity)',
    contextTokens: 512,
    replacesFirstByBos: true,
    dropsFinalNewline: true,
    needed: ({ contextTokens }) => 2 * contextTokens,
    count: (tokens, { contextTokens }) => Math.floor(tokens / contextTokens),
    span(index, _, { contextTokens }) {
      const begin = index * contextTokens;
      return { begin, end: begin + contextTokens, firstTarget: begin + Math.floor(contextTokens / 2) + 1 };
    },
  },
  {
    name: 'paper-2048',
    summary: 'windows of 2048 that do not overlap, every token scored (GPTQ and AWQ papers)',
    contextTokens: 2048,
    replacesFirstByBos: false,
    dropsFinalNewline: false,
    needed: ({ contextTokens }) => contextTokens,
    count: (tokens, { contextTokens }) => Math.floor(tokens / contextTokens),
    span(index, _, { contextTokens }) {
      const begin = index * contextTokens;
      return { begin, end: begin + contextTokens, firstTarget: begin + 1 };
    },
  },
  {
    name: 'hf-stride',
    summary: 'windows of 1024 that move by 512, every token scored once (transformers)',
    contextTokens: 1024,
    strideTokens: 512,
    replacesFirstByBos: false,
    dropsFinalNewline: false,
    needed: ({ contextTokens }) => contextTokens,
    // Window w exists when there is a token after its context, w·s + max(1, n-s).
    count: (tokens, { contextTokens, strideTokens = contextTokens }) =>
      Math.ceil((tokens - Math.max(1, contextTokens - strideTokens)) / strideTokens),
    span(index, tokens, { contextTokens, strideTokens = contextTokens }) {
      const begin = index * strideTokens;
      const covered = index === 0 ? 0 : begin - strideTokens + contextTokens;
      return { begin, end: Math.min(begin + contextTokens, tokens), firstTarget: Math.max(begin + 1, covered) };
    },
  },
];

export const defaultProfile = profiles[0]!;
