// Log probabilities in OpenAI's two shapes: a list of objects (chat) and parallel arrays (text completions).
import type { TokenEvent } from '@quern/engine';
import type { Tokenizer } from '@quern/tokenizer';

interface TokenLogProb {
  token: string;
  logprob: number;
  bytes: number[];
}
export interface ChatLogProbs {
  content: (TokenLogProb & { top_logprobs: TokenLogProb[] })[];
  refusal: null;
}
export interface TextLogProbs {
  tokens: string[];
  token_logprobs: number[];
  top_logprobs: Record<string, number>[];
  /** Where each token begins in the generated text, in UTF-16 units as JavaScript and OpenAI's clients count. */
  text_offset: number[];
}

const one = (tokenizer: Tokenizer, id: number, logprob: number): TokenLogProb => {
  const bytes = tokenizer.decodeBytes([id], { special: true });
  return { token: new TextDecoder().decode(bytes), logprob, bytes: [...bytes] };
};

export const chatLogProbs = (tokenizer: Tokenizer, tokens: readonly TokenEvent[]): ChatLogProbs => ({
  content: tokens.map(({ token, logprob, top = [] }) => ({
    ...one(tokenizer, token, logprob!),
    top_logprobs: top.map((other) => one(tokenizer, other.token, other.logprob)),
  })),
  refusal: null,
});

/** @param firstOffset where the text of the first token begins */
export function textLogProbs(tokenizer: Tokenizer, tokens: readonly TokenEvent[], firstOffset: number): TextLogProbs {
  const shape: TextLogProbs = { tokens: [], token_logprobs: [], top_logprobs: [], text_offset: [] };
  let offset = firstOffset;
  for (const { token, logprob, top = [] } of tokens) {
    const { token: text } = one(tokenizer, token, logprob!);
    shape.tokens.push(text);
    shape.token_logprobs.push(logprob!);
    shape.top_logprobs.push(
      Object.fromEntries(top.map((other) => [one(tokenizer, other.token, other.logprob).token, other.logprob])),
    );
    shape.text_offset.push(offset);
    offset += text.length;
  }
  return shape;
}
