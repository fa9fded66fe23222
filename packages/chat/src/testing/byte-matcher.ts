// Whether a text is one of a grammar, byte by byte; special tokens are their texts.
import { Automaton, compileGrammar, GrammarMatcher, type GrammarSource, TokenTrie } from '@quern/grammar';

const trie = new TokenTrie(Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte)));

export const byteMatcher = (source: GrammarSource): GrammarMatcher =>
  new GrammarMatcher(new Automaton(compileGrammar(source), trie));

/** The part of `text` that the grammar can begin with, and whether that is all. */
export function matched(source: GrammarSource, text: string): { begins: string; whole: boolean } {
  const matcher = byteMatcher(source);
  const bytes = new TextEncoder().encode(text);
  const end = bytes.findIndex((byte) => !matcher.accept(byte));
  const begins = new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
  return { begins, whole: end < 0 && matcher.complete };
}

/** A text of the grammar, by chance. `choose` picks one of the bytes that may follow, or undefined to stop. */
export function randomText(
  source: GrammarSource,
  choose: (allowed: number[], complete: boolean) => number | undefined,
): string {
  const matcher = byteMatcher(source);
  const bytes: number[] = [];
  for (;;) {
    const byte = choose([...matcher.allowed], matcher.complete);
    if (byte === undefined) return new TextDecoder().decode(Uint8Array.from(bytes));
    matcher.accept(byte);
    bytes.push(byte);
  }
}
