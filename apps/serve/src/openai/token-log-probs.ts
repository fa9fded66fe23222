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
  /** null: of a prompt's first token, which nothing is before. */
  token_logprobs: (number | null)[];
  top_logprobs: (Record<string, number> | null)[];
  /** Where each token begins in the generated text, in UTF-16 units as JavaScript and OpenAI's clients count. */
  text_offset: number[];
}

/** @param asId vLLM's name of it, in place of its text */
const one = (tokenizer: Tokenizer, id: number, logprob: number, asId: boolean): TokenLogProb => {
  const bytes = tokenizer.decodeBytes([id], { special: true });
  return { token: asId ? `token_id:${id}` : new TextDecoder().decode(bytes), logprob, bytes: [...bytes] };
};

export const chatLogProbs = (tokenizer: Tokenizer, tokens: readonly TokenEvent[], asIds = false): ChatLogProbs => ({
  content: tokens.map(({ token, logprob, top = [] }) => ({
    ...one(tokenizer, token, logprob!, asIds),
    top_logprobs: top.map((other) => one(tokenizer, other.token, other.logprob, asIds)),
  })),
  refusal: null,
});

/** Where tokens begin in a text: the bytes of one character may come in several, and special ones may not be shown. */
export class TextOffsets {
  readonly #tokenizer: Tokenizer;
  readonly #special: boolean;
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  #offset: number;

  /**
   * @param first where the text of the first token begins
   * @param special whether special tokens are shown
   */
  constructor(tokenizer: Tokenizer, first: number, special: boolean) {
    this.#tokenizer = tokenizer;
    this.#special = special;
    this.#offset = first;
  }

  /** Of the next token. */
  of(token: number): number {
    const offset = this.#offset;
    const bytes = this.#tokenizer.decodeBytes([token], { special: this.#special });
    this.#offset += this.#decoder.decode(bytes, { stream: true }).length;
    return offset;
  }
}

export function textLogProbs(
  tokenizer: Tokenizer,
  tokens: readonly TokenEvent[],
  offsets: TextOffsets,
  asIds: boolean,
): TextLogProbs {
  const shape: TextLogProbs = { tokens: [], token_logprobs: [], top_logprobs: [], text_offset: [] };
  for (const { token, logprob, top = [] } of tokens) {
    shape.tokens.push(one(tokenizer, token, logprob!, asIds).token);
    shape.token_logprobs.push(logprob!);
    shape.top_logprobs.push(
      Object.fromEntries(top.map((other) => [one(tokenizer, other.token, other.logprob, asIds).token, other.logprob])),
    );
    shape.text_offset.push(offsets.of(token));
  }
  return shape;
}

export interface ShownPrompt {
  /** As it is shown, without the BOS that is added. */
  readonly text: string;
  readonly behindFirst: readonly TokenEvent[];
  readonly tokensAsIds: boolean;
}

export function promptTextLogProbs(
  tokenizer: Tokenizer,
  prompt: Int32Array,
  { text, behindFirst, tokensAsIds }: ShownPrompt,
): TextLogProbs {
  const isShown = prompt[0] !== tokenizer.bos || text.startsWith(one(tokenizer, prompt[0]!, 0, false).token);
  const first = one(tokenizer, prompt[0]!, 0, tokensAsIds).token;
  const head = { tokens: [first], token_logprobs: [null], top_logprobs: [null], text_offset: [0] };
  const offsets = new TextOffsets(tokenizer, 0, true);
  if (isShown) offsets.of(prompt[0]!);
  return logProbsBehind(head, textLogProbs(tokenizer, behindFirst, offsets, tokensAsIds))!;
}

/** Those of two texts, one behind the other. */
export function logProbsBehind(before: TextLogProbs | undefined, behind: TextLogProbs | null): TextLogProbs | null {
  if (!before || !behind) return behind;
  return {
    tokens: [...before.tokens, ...behind.tokens],
    token_logprobs: [...before.token_logprobs, ...behind.token_logprobs],
    top_logprobs: [...before.top_logprobs, ...behind.top_logprobs],
    text_offset: [...before.text_offset, ...behind.text_offset],
  };
}
