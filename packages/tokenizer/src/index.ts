export { tokenizerFromGguf } from './from-gguf.ts';
export type { MetadataView } from './metadata-view.ts';
export { preTokenizerNames } from './pre-tokenizer/pre-tokenizers.ts';
export type { DecodeOptions, EncodeOptions, Tokenizer } from './tokenizer.ts';
export { tokenTypes } from './tokenizer.ts';
