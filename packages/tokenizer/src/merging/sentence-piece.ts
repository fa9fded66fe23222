// SentencePiece BPE (Llama 1 and 2, Mistral 7B, Phi-3): spaces are written `▁`, the characters of the text are its first
// symbols, and two neighbours merge when their joined text is a token, the token with the higher score first. Characters
// that are no token fall back to byte tokens `<0x0A>`. (Rules: llama.cpp `llm_tokenizer_spm_session`.)
//
// The merges are listed once, when the vocabulary is loaded: every token, cut in two at each place where both parts can
// be symbols. Encoding is then the same table walk as BPE's.

import { QuernError } from '@quern/errors';
import { tokenTypes } from '../tokenizer.ts';
import type { Vocabulary } from '../vocabulary/vocabulary.ts';
import { appendByteTokens } from './byte-tokens.ts';
import { MergeTable } from './merge-table.ts';
import { Merger } from './merger.ts';
import { SymbolTexts } from './symbol-texts.ts';
import { WordCache } from './word-cache.ts';

const space = '▁';
/** A character that no token contains: it merges with nothing. */
const noSymbol = -2;
/** Longest token that takes part in merging, in UTF-16 units. */
const maxTokenLength = 1024;

export class SentencePiece {
  readonly #vocabulary: Vocabulary;
  readonly #symbols: ReadonlyMap<string, number>;
  readonly #texts: SymbolTexts;
  readonly #merger: Merger;
  readonly #cache = new WordCache();
  /** Where a text may be cut before merging without changing the result. */
  readonly #words: RegExp;

  constructor(vocabulary: Vocabulary) {
    this.#vocabulary = vocabulary;
    const { texts, types, scores } = vocabulary;
    // Control, unknown and byte tokens never come out of merging: text cannot forge them.
    const mergeable = new Map<string, number>();
    texts.forEach((text, id) => {
      const type = types[id];
      if (type === tokenTypes.normal || type === tokenTypes.userDefined || type === tokenTypes.unused) {
        mergeable.set(text, id);
      }
    });
    this.#symbols = mergeable;
    this.#texts = new SymbolTexts({ ...vocabulary, idOf: mergeable });
    const ranks = ranksOfScores(scores);
    const table = new MergeTable(mergeable.size * 4);
    let tokensSpanWords = false;
    for (const [text, id] of mergeable) {
      if (text.length > maxTokenLength) {
        throw new QuernError('tokenizer-token-too-long', `Token ${id} has ${text.length} characters.`, {
          remedy: `Use a vocabulary with tokens of at most ${maxTokenLength} characters.`,
        });
      }
      for (let at = nextCharacter(text, 0); at < text.length; at = nextCharacter(text, at)) {
        const left = this.#partOf(text.slice(0, at));
        const right = left === undefined ? undefined : this.#partOf(text.slice(at));
        if (left === undefined || right === undefined) continue;
        table.add(left, right, ranks[id] as number, id);
        if (text[at] === space && text[at - 1] !== space) tokensSpanWords = true;
      }
    }
    this.#merger = new Merger(table);
    // No merge joins a space to what stands before it in nearly all vocabularies: then words can be merged one by one.
    this.#words = tokensSpanWords ? /[\s\S]+/gu : /▁*[^▁]+|▁+/gu;
  }

  /** Appends the ids of `text`, which holds no special tokens and no lone surrogates. */
  encode(text: string, ids: number[]): void {
    for (const [word] of text.replaceAll(' ', space).matchAll(this.#words)) {
      let known = this.#cache.get(word);
      if (!known) {
        known = this.#encodeWord(word);
        this.#cache.set(word, known);
      }
      for (let i = 0; i < known.length; i++) ids.push(known[i] as number);
    }
  }

  /** The symbol of a part of a token: a token, or a single character. */
  #partOf(text: string): number | undefined {
    return this.#symbols.get(text) ?? (nextCharacter(text, 0) === text.length ? this.#texts.symbolOf(text) : undefined);
  }

  #encodeWord(word: string): readonly number[] {
    const characters = Array.from(word);
    const symbols = Int32Array.from(characters, (character) => this.#texts.find(character) ?? noSymbol);
    const count = this.#merger.merge(symbols, symbols.length);
    const ids: number[] = [];
    let at = 0;
    for (let i = 0; i < count; i++) {
      const symbol = symbols[i] as number;
      const text = symbol === noSymbol ? (characters[at] as string) : this.#texts.textOf(symbol);
      if (symbol !== noSymbol && symbol < this.#vocabulary.texts.length) ids.push(symbol);
      else appendByteTokens(this.#vocabulary, text, ids);
      for (let unit = 0; unit < text.length; at++) unit += (characters[at] as string).length;
    }
    return ids;
  }
}

function nextCharacter(text: string, at: number): number {
  return at + ((text.codePointAt(at) as number) > 0xffff ? 2 : 1);
}

/** 0 for the highest score, 1 for the next lower one…; equal scores share a rank. */
function ranksOfScores(scores: Float32Array): Int32Array {
  const distinct = [...new Set(scores)].sort((a, b) => b - a);
  const rankOf = new Map(distinct.map((score, rank) => [score, rank]));
  return Int32Array.from(scores, (score) => rankOf.get(score) as number);
}
