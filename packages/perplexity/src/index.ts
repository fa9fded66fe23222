export { type Chunk, type ChunkOptions, chunkAt, countChunks } from './chunks.ts';
export {
  type PerplexityOptions,
  type PerplexityResult,
  type PerplexityState,
  perplexity,
  perplexityLoadOptions,
} from './perplexity.ts';
export { type Figures, Tally } from './tally.ts';
export { perplexityTokens } from './text-tokens.ts';
