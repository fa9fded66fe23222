// Cutting a text at special tokens, before any merging (llama.cpp `tokenizer_st_partition`): longer tokens first, each
// over the whole text, so a long token wins over a shorter one that starts earlier.

import { tokenTypes } from '../tokenizer.ts';
import type { Vocabulary } from './vocabulary.ts';

/** A piece of raw text, or one special token. */
export type Fragment = string | number;

/** Tokens that swallow the white space beside them; GGUF does not store this, so it goes by the model's name. */
export interface StripRules {
  left(id: number): boolean;
  right(id: number): boolean;
}

interface Special {
  id: number;
  text: string;
  /** Left alone when the caller does not want special tokens recognised. */
  onlyWhenParsing: boolean;
}

export type Partition = (text: string, parseSpecial: boolean) => Fragment[];

const blankAtStart = /^[\t-\r ]+/;
const blankAtEnd = /[\t-\r ]+$/;

export function createPartition(vocabulary: Vocabulary, types: Int32Array, strip: StripRules): Partition {
  const bytes = new TextEncoder();
  const specials = vocabulary.texts
    .map((text, id): Special & { length: number } => ({
      id,
      text,
      onlyWhenParsing: types[id] !== tokenTypes.userDefined,
      length: isSpecial(types[id]) ? bytes.encode(text).length : 0,
    }))
    .filter(({ length }) => length > 0)
    .sort((a, b) => b.length - a.length || a.id - b.id);

  const find = finderOf(specials);
  return (text, parseSpecial) => {
    let fragments: Fragment[] = text === '' ? [] : [text];
    const found = find(text);
    if (found.size === 0) return fragments;
    for (const special of specials) {
      if (!found.has(special) || (special.onlyWhenParsing && !parseSpecial)) continue;
      fragments = fragments.flatMap((fragment) =>
        typeof fragment === 'string' ? cutAt(fragment, special, strip) : [fragment],
      );
    }
    return fragments;
  };
}

/** Which of the tokens a text contains, in one pass: there may be a million of them. */
function finderOf(specials: readonly Special[]): (text: string) => ReadonlySet<Special> {
  const byText = new Map(specials.map((special) => [special.text, special]));
  const lengths = new Map<string, Set<number>>();
  for (const { text } of specials) {
    const first = text[0] as string;
    lengths.set(first, (lengths.get(first) ?? new Set()).add(text.length));
  }
  return (text) => {
    const found = new Set<Special>();
    for (let at = 0; at < text.length; at++) {
      for (const length of lengths.get(text[at] as string) ?? []) {
        const special = byText.get(text.slice(at, at + length));
        if (special) found.add(special);
      }
    }
    return found;
  };
}

function isSpecial(type: number): boolean {
  return type === tokenTypes.control || type === tokenTypes.userDefined || type === tokenTypes.unknown;
}

function cutAt(text: string, { id, text: special }: Special, strip: StripRules): Fragment[] {
  const pieces = text.split(special);
  const fragments: Fragment[] = [];
  pieces.forEach((piece, index) => {
    let kept = piece;
    if (index > 0) {
      fragments.push(id);
      if (strip.right(id)) kept = kept.replace(blankAtStart, '');
    }
    if (index < pieces.length - 1 && strip.left(id)) kept = kept.replace(blankAtEnd, '');
    if (kept !== '') fragments.push(kept);
  });
  return fragments;
}

/**
 * Strip rules by the model's name (`general.name`), as llama.cpp has them for the families served here: Phi-3's special
 * tokens swallow the white space on their right, except the three of the base vocabulary.
 */
export function stripRules(modelName: string, vocabulary: Vocabulary): StripRules {
  const never = () => false;
  if (!/phi-?3/i.test(modelName)) return { left: never, right: never };
  const kept = new Set(['<unk>', '<s>', '<|endoftext|>']);
  return { left: never, right: (id) => !kept.has(vocabulary.texts[id] as string) };
}
