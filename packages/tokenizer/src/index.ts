export { type ChatMessage, type RenderChatOptions, renderChat } from './chat/render-chat.ts';
export { tokenizerFromGguf } from './from-gguf.ts';
export type { MetadataView } from './metadata-view.ts';
export { preTokenizerNames } from './pre-tokenizer/pre-tokenizers.ts';
export { StopMatcher, type StopResult } from './stream/stop-matcher.ts';
export { TextStream } from './stream/text-stream.ts';
export type { DecodeOptions, EncodeOptions, Tokenizer } from './tokenizer.ts';
export { tokenTypes } from './tokenizer.ts';
