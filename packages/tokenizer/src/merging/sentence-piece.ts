// SentencePiece BPE (Llama 1 and 2, Mistral 7B, Phi-3): spaces are written `▁`, the characters of the text are its first
// symbols, and two neighbours merge when their joined text is a token, the token with the higher score first. Characters
// that are no token fall back to byte tokens `<0x0A>`. (Rules: llama.cpp `llm_tokenizer_spm_session`.)
//
// A pair is looked up when it comes up: whether its joined text is a token, and how high that token's score is.

import { QuernError } from '@quern/errors';
import { tokenTypes } from '../tokenizer.ts';
import { TextIndex } from '../vocabulary/text-index.ts';
import type { Vocabulary } from '../vocabulary/vocabulary.ts';
import { SymbolTexts } from './symbol-texts.ts';
import { TextMerging } from './text-merging.ts';
import { WordCache } from './word-cache.ts';

const space = '▁';
/** Longest token that takes part in merging, in UTF-16 units. */
const maxTokenLength = 1024;
/** In UTF-16 units. */
const maxCheckedLength = 64;
const mergeableTypes: ReadonlySet<number> = new Set([tokenTypes.normal, tokenTypes.userDefined, tokenTypes.unused]);

export class SentencePiece {
  readonly #merging: TextMerging;
  readonly #cache = new WordCache();
  /** Where a text may be cut before merging without changing the result. */
  readonly #words: RegExp;

  constructor(vocabulary: Vocabulary) {
    const { texts, types, scores } = vocabulary;
    // Control, unknown and byte tokens never come out of merging: text cannot forge them.
    const isMergeable = (id: number): boolean => mergeableTypes.has(types[id] as number);
    checkLengths(texts, isMergeable);
    const mergeable = new TextIndex(texts, isMergeable);
    const symbols = new SymbolTexts({ texts, idOf: mergeable });
    const ranks = ranksOfScores(scores);
    this.#merging = new TextMerging(vocabulary, symbols, (left, right) => {
      const [leftText, rightText] = [symbols.textOf(left), symbols.textOf(right)];
      const id = mergeable.findJoined(leftText, rightText);
      return id === -1 ? undefined : { rank: ranks[id] as number, merged: id };
    });
    // No merge joins a space to what stands before it in nearly all vocabularies: then words can be merged one by one.
    const spansWords = texts.some((text, id) => isMergeable(id) && joinsWords(text, mergeable));
    this.#words = spansWords ? /[\s\S]+/gu : /▁*[^▁]+|▁+/gu;
  }

  /** Appends the ids of `text`, which holds no special tokens and no lone surrogates. */
  encode(text: string, ids: number[]): void {
    for (const [word] of text.replaceAll(' ', space).matchAll(this.#words)) {
      let known = this.#cache.get(word);
      if (!known) {
        known = this.#merging.idsOf(word);
        this.#cache.set(word, known);
      }
      for (let i = 0; i < known.length; i++) ids.push(known[i] as number);
    }
  }
}

/** @throws QuernError `tokenizer-token-too-long` */
function checkLengths(texts: readonly string[], isMergeable: (id: number) => boolean): void {
  const long = texts.findIndex((text, id) => text.length > maxTokenLength && isMergeable(id));
  if (long === -1) return;
  throw new QuernError('tokenizer-token-too-long', `Token ${long} has ${texts[long]?.length} characters.`, {
    remedy: `Use a vocabulary with tokens of at most ${maxTokenLength} characters.`,
  });
}

/** Whether a merge to this token joins a space to what stands before it; taken for granted of long ones. */
function joinsWords(text: string, mergeable: TextIndex): boolean {
  const isSymbol = (part: string) => mergeable.has(part) || Array.from(part).length === 1;
  for (let at = text.indexOf(space, 1); at > 0; at = text.indexOf(space, at + 1)) {
    if (text[at - 1] === space) continue;
    if (text.length > maxCheckedLength || (isSymbol(text.slice(0, at)) && isSymbol(text.slice(at)))) return true;
  }
  return false;
}

/** 0 for the highest score, 1 for the next lower one…; equal scores share a rank. */
function ranksOfScores(scores: Float32Array): Int32Array {
  const distinct = scores
    .slice()
    .sort()
    .filter((score, at, sorted) => score !== sorted[at - 1]);
  return Int32Array.from(scores, (score) => {
    let [low, high] = [0, distinct.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((distinct[middle] as number) < score) low = middle + 1;
      else high = middle;
    }
    return distinct.length - 1 - low;
  });
}
