export type { DecodeOptions, EncodeOptions, Tokenizer } from './tokenizer.ts';
export { tokenTypes } from './tokenizer.ts';
