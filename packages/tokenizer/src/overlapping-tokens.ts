// Where a text may begin inside a token: what DRY sampling needs to see its sequence breakers in a list of tokens.
import type { Tokenizer } from './tokenizer.ts';

export interface OverlappingToken {
  readonly head: number;
  /** The tokens of what `head` leaves over of the text; none if it holds the whole text. */
  readonly tail: readonly number[];
}

/** Longer tails are cut off, as in llama.cpp: a beginning of so many tokens is as good as the whole. */
const MOST_TAIL_TOKENS = 20;

/**
 * Every token whose bytes hold `text`, or end with a part of its beginning, each with the tokens of the rest; one entry for
 * each way. Reads the whole vocabulary.
 * @param text not empty
 */
export function overlappingTokens(tokenizer: Tokenizer, text: string): OverlappingToken[] {
  const wanted = new TextEncoder().encode(text);
  const tails = Array.from({ length: wanted.length }, (_, covered) =>
    covered > 0 ? tailOf(tokenizer, wanted, covered) : [],
  );
  const found: OverlappingToken[] = [];
  for (let head = 0; head < tokenizer.vocabSize; head++) {
    const bytes = tokenizer.decodeBytes([head], { special: true, stripSpacePrefix: true });
    const covered = coverings(bytes, wanted);
    if (covered.includes(wanted.length)) found.push({ head, tail: [] });
    else found.push(...covered.map((count) => ({ head, tail: tails[count] })));
  }
  return found;
}

function tailOf(tokenizer: Tokenizer, wanted: Uint8Array, covered: number): readonly number[] {
  const rest = new TextDecoder().decode(wanted.subarray(covered));
  return Array.from(tokenizer.encode(rest)).slice(0, MOST_TAIL_TOKENS);
}

/** How many bytes of `wanted` the end of `bytes` may cover; all of them, where `bytes` holds it. */
function coverings(bytes: Uint8Array, wanted: Uint8Array): number[] {
  const lengths: number[] = [];
  for (let start = bytes.indexOf(wanted[0]!); start >= 0; start = bytes.indexOf(wanted[0]!, start + 1)) {
    const length = Math.min(wanted.length, bytes.length - start);
    let same = 1;
    while (same < length && bytes[start + same] === wanted[same]) same++;
    if (same === length) lengths.push(length);
  }
  return lengths;
}
