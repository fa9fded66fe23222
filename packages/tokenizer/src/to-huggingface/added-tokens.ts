// `added_tokens` of tokenizer.json: the tokens that are found in a text before anything else is done with it.

import { tokenTypes } from '../tokenizer.ts';
import type { StripRules } from '../vocabulary/partition.ts';
import type { Vocabulary } from '../vocabulary/vocabulary.ts';

export interface AddedTokenJson {
  id: number;
  content: string;
  single_word: boolean;
  lstrip: boolean;
  rstrip: boolean;
  normalized: boolean;
  /** Left out when ids are decoded with `skip_special_tokens`. */
  special: boolean;
}

/** Control, unknown and user-defined tokens, by id. */
export function addedTokensOf(vocabulary: Vocabulary, strip: StripRules): AddedTokenJson[] {
  const { texts, types } = vocabulary;
  return texts.flatMap((content, id): AddedTokenJson[] => {
    if (isPadding(vocabulary, id)) return [];
    const type = types[id];
    const special = type === tokenTypes.control || type === tokenTypes.unknown;
    if (!special && type !== tokenTypes.userDefined) return [];
    const place = { single_word: false, lstrip: strip.left(id), rstrip: strip.right(id), normalized: false };
    return [{ id, content, ...place, special }];
  });
}

/** Rows of the embedding that no token has: conversion names them `[PAD7]`, unused (in older files unknown). */
export const isPadding = ({ texts, types }: Vocabulary, id: number): boolean =>
  (types[id] === tokenTypes.unused || types[id] === tokenTypes.unknown) && texts[id] === `[PAD${id}]`;

/** `model.vocab`. Added tokens are in it too: the tokenizers library takes their ids from there. */
export const vocabOf = (vocabulary: Vocabulary): Record<string, number> =>
  Object.fromEntries(vocabulary.texts.flatMap((text, id) => (isPadding(vocabulary, id) ? [] : [[text, id]])));
