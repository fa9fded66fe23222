// Two texts as the one input of a cross-encoder, as the model's tokenizer joins pairs:
//   [bos] first [eos] [separator] second [eos]        each mark only where the file says so
// Source: transformers' pair templates of BERT and RoBERTa; llama.cpp tools/server/server-common.cpp format_prompt_rerank.
import type { Tokenizer } from './tokenizer.ts';

export interface TextPair {
  readonly tokens: Int32Array;
  /** Where the tokens of the second text begin. */
  readonly secondFrom: number;
}

/** One text with each of others. */
export function encodePairs(tokenizer: Tokenizer, first: string, seconds: readonly string[]): TextPair[] {
  const { addBos, addEos, bos, eos, separator } = tokenizer;
  const end = addEos ? [eos!] : [];
  const front = [
    ...(addBos ? [bos!] : []),
    ...tokenizer.encode(first),
    ...end,
    ...(separator === undefined ? [] : [separator]),
  ];
  return seconds.map((second) => ({
    tokens: Int32Array.from([...front, ...tokenizer.encode(second), ...end]),
    secondFrom: front.length,
  }));
}
