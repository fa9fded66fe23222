export { ggufTokenizerMetadata } from './beyond-gguf.ts';
export { chatMlTemplate } from './chat/chatml.ts';
export { type ChatMessage, type RenderChatOptions, renderChat } from './chat/render-chat.ts';
export { tokenizerFromGguf } from './from-gguf.ts';
export type { CheckpointFiles } from './huggingface/checkpoint-files.ts';
export type { GgufLikeMetadata, GgufLikeValue } from './huggingface/gguf-like-value.ts';
export {
  type TokenizerMetadataOptions,
  tokenizerMetadataFromHf,
  tokenizerViewFromHf,
} from './huggingface/metadata-from-hf.ts';
export type { MetadataView } from './metadata-view.ts';
export { type OverlappingToken, overlappingTokens } from './overlapping-tokens.ts';
export { preTokenizerNames } from './pre-tokenizer/pre-tokenizers.ts';
export { StopMatcher, type StopResult } from './stream/stop-matcher.ts';
export { TextStream } from './stream/text-stream.ts';
export { encodePairs, type TextPair } from './text-pair.ts';
export { tokenizerFilesOf } from './to-huggingface/tokenizer-files.ts';
export type { DecodeOptions, EncodeOptions, FillInTokens, Tokenizer } from './tokenizer.ts';
export { tokenTypes } from './tokenizer.ts';
