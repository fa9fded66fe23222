// Unigram (T5, XLM-RoBERTa): of all ways to cut a text into tokens the one with the highest sum of log probabilities, found
// from left to right (Viterbi). A character that no token begins with is unknown; unknown neighbours are one token.
// Rules: llama.cpp `llm_tokenizer_ugm_session`, the tokenizers library's models/unigram.
import { tokenTypes } from '../tokenizer.ts';
import type { Vocabulary } from '../vocabulary/vocabulary.ts';

/** What an unknown character is worth less than the worst token. */
const unknownPenalty = 10;
/** Longer tokens are never found. In UTF-16 units. */
const maxTokenLength = 1024;

export class Unigram {
  readonly #scores = new Map<string, { readonly id: number; readonly score: number }>();
  /** Lengths of the tokens that begin with a character, the shortest first. */
  readonly #lengths = new Map<number, number[]>();
  readonly #unknown: number;
  readonly #unknownScore: number;

  /** @param unknown id of the token for unknown characters */
  constructor({ texts, types, scores }: Pick<Vocabulary, 'texts' | 'types' | 'scores'>, unknown: number) {
    let worst = 0;
    for (const [id, text] of texts.entries()) {
      const type = types[id];
      if (type === tokenTypes.normal) worst = Math.min(worst, scores[id]!);
      const isPiece = type === tokenTypes.normal || type === tokenTypes.userDefined || type === tokenTypes.unused;
      if (!isPiece || text.length > maxTokenLength) continue;
      this.#scores.set(text, { id, score: type === tokenTypes.userDefined ? 0 : scores[id]! });
      const first = text.codePointAt(0)!;
      const lengths = this.#lengths.get(first) ?? [];
      if (!lengths.includes(text.length)) this.#lengths.set(first, [...lengths, text.length]);
    }
    for (const lengths of this.#lengths.values()) lengths.sort((a, b) => a - b);
    this.#unknown = unknown;
    this.#unknownScore = worst - unknownPenalty;
  }

  /** Appends the ids of a normalized text. */
  encode(text: string, ids: number[]): void {
    const best = new Float64Array(text.length + 1).fill(Number.NEGATIVE_INFINITY);
    const start = new Int32Array(text.length + 1);
    const token = new Int32Array(text.length + 1);
    best[0] = 0;
    const offer = (from: number, to: number, id: number, score: number) => {
      if (!(best[from]! + score > best[to]!)) return;
      best[to] = best[from]! + score;
      start[to] = from;
      token[to] = id;
    };
    for (let at = 0; at < text.length; ) {
      const first = text.codePointAt(at)!;
      const next = at + (first > 0xffff ? 2 : 1);
      let isKnown = false;
      for (const length of this.#lengths.get(first) ?? []) {
        if (at + length > text.length) break;
        const found = this.#scores.get(text.slice(at, at + length));
        if (!found) continue;
        if (at + length === next) isKnown = true;
        offer(at, at + length, found.id, found.score);
      }
      if (!isKnown) offer(at, next, this.#unknown, this.#unknownScore);
      at = next;
    }
    const found: number[] = [];
    for (let end = text.length; end > 0; end = start[end]!) {
      const id = token[end]!;
      if (id !== this.#unknown || found.at(-1) !== this.#unknown) found.push(id);
    }
    for (let i = found.length - 1; i >= 0; i--) ids.push(found[i]!);
  }
}
