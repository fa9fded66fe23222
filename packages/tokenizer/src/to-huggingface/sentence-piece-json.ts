// A SentencePiece vocabulary as the parts of tokenizer.json: BPE with byte fallback. GGUF orders merges by the score of
// the token they make, tokenizer.json by a list: every token, cut in two at each place where both parts are tokens, by
// falling score. Spaces are written `▁`, and one is put before every stretch of text, as llama.cpp does (transformers'
// `legacy` way; GGUF does not say which one a model was trained with).

import { QuernError } from '@quern/errors';
import { type MetadataView, readBoolean } from '../metadata-view.ts';
import { tokenTypes } from '../tokenizer.ts';
import type { Vocabulary } from '../vocabulary/vocabulary.ts';
import { vocabOf } from './added-tokens.ts';
import type { TokenizerParts } from './tokenizer-json.ts';

/** @throws QuernError `tokenizer-not-expressible` */
export function sentencePieceParts(metadata: MetadataView, vocabulary: Vocabulary): TokenizerParts {
  const prefix = readBoolean(metadata, 'tokenizer.ggml.add_space_prefix') ?? true;
  const unknown = vocabulary.types.indexOf(tokenTypes.unknown);
  const replace = (from: string, to: string) => ({ type: 'Replace', pattern: { String: from }, content: to });
  const prepend = prefix ? [{ type: 'Prepend', prepend: '▁' }] : [];
  const strip = prefix ? [{ type: 'Strip', content: ' ', start: 1, stop: 0 }] : [];
  return {
    normalizer: { type: 'Sequence', normalizers: [...prepend, replace(' ', '▁')] },
    preTokenizer: null,
    decoder: {
      type: 'Sequence',
      decoders: [replace('▁', ' '), { type: 'ByteFallback' }, { type: 'Fuse' }, ...strip],
    },
    model: {
      type: 'BPE',
      unk_token: unknown < 0 ? null : vocabulary.texts[unknown]!,
      fuse_unk: true,
      byte_fallback: true,
      ignore_merges: false,
      vocab: vocabOf(vocabulary),
      merges: mergesByScore(vocabulary),
    },
  };
}

interface Merge {
  readonly left: string;
  readonly right: string;
  /** What it makes. */
  readonly id: number;
}

function mergesByScore({ texts, types, scores }: Vocabulary): [string, string][] {
  const idOf = new Map<string, number>();
  texts.forEach((text, id) => {
    if (types[id] === tokenTypes.normal) idOf.set(text, id);
  });
  const merges: Merge[] = [];
  const madeWith = new Map<number, string[]>();
  for (const [text, id] of idOf) {
    const found = cuts(text).filter(({ left, right }) => idOf.has(left) && idOf.has(right));
    if (found.length === 0) continue;
    madeWith.set(scores[id]!, [...(madeWith.get(scores[id]!) ?? []), text]);
    for (const cut of found) merges.push({ ...cut, id });
  }
  for (const [score, tied] of madeWith) if (tied.length > 1) checkTied(tied, score);
  const rank = (text: string) => idOf.get(text)!;
  merges.sort(
    (a, b) =>
      scores[b.id]! - scores[a.id]! ||
      inTies(texts[a.id]!) - inTies(texts[b.id]!) ||
      rank(a.left) - rank(b.left) ||
      rank(a.right) - rank(b.right),
  );
  return merges.map(({ left, right }) => [left, right]);
}

const isPowerOfTwo = (count: number): boolean => Number.isInteger(Math.log2(count));

/** Place of a run of one character among runs of equal score: lengths 2, 4, 8… first, then the others. */
function inTies(text: string): number {
  const length = Array.from(text).length;
  return isPowerOfTwo(length) ? length : length + 2 ** 20;
}

/**
 * Of two merges with one score the one further left comes first, which a list cannot say in general. It can for the ties
 * that vocabularies have: runs of one character, of every length up to a power of two. Leftmost first makes one longest
 * run after the other; so does joining equal runs first, which leaves at most one shorter run of each size at the end.
 */
function checkTied(tied: readonly string[], score: number): void {
  const lengths = new Map<string, number[]>();
  for (const text of tied) {
    const [first = ''] = text;
    if (text !== first.repeat(text.length / first.length)) throw ambiguous(tied, score);
    lengths.set(first, [...(lengths.get(first) ?? []), text.length / first.length]);
  }
  for (const run of lengths.values()) {
    const longest = Math.max(...run);
    if (run.length !== longest - 1 || !isPowerOfTwo(longest)) throw ambiguous(tied, score);
  }
}

/** Every way to cut a text between two characters. */
function cuts(text: string): { left: string; right: string }[] {
  const characters = Array.from(text);
  let at = 0;
  return characters.slice(0, -1).map((character) => {
    at += character.length;
    return { left: text.slice(0, at), right: text.slice(at) };
  });
}

const ambiguous = ([first, second]: readonly string[], score: number): QuernError =>
  new QuernError(
    'tokenizer-not-expressible',
    `The tokens ${JSON.stringify(first)} and ${JSON.stringify(second)} have the same score, ${score}: tokenizer.json needs an order.`,
    { remedy: 'Take the tokenizer files from the original checkpoint.' },
  );
