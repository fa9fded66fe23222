// The token list of a checkpoint that has a SentencePiece vocabulary in tokenizer.json only: BPE with `byte_fallback`
// (converter: `LlamaHfVocab`).
//
// GGUF's SentencePiece tokenizer goes by scores, tokenizer.json by a list of merges. The converter gives every token one
// score, and its files then split text differently from the model; here a token's score is the place of its first merge,
// which gives the order of the list, provided that the list has the shape that only a SentencePiece model gives it.

import { tokenTypes } from '../tokenizer.ts';
import { looksSpecial, specialTexts } from './added-tokens.ts';
import type { BpeModel } from './bpe-model.ts';
import { addedTokens } from './byte-level-vocabulary.ts';
import { asArray, isObject, type JsonObject } from './checkpoint-files.ts';
import { addedScore, type TokenEntry, type TokenList } from './token-list.ts';

const file = 'tokenizer.json';
const byteName = /^<0x[0-9A-Fa-f]{2}>$/;

/** What a BPE with byte fallback is for GGUF. */
export type ByteFallback =
  /** A SentencePiece vocabulary, told by scores. */
  | { readonly fill: Fill; readonly spacePrefix: boolean }
  /** BPE by its list of merges: as Gemma has it, or else as no file can say. */
  | { readonly fill?: undefined; readonly isGemma: boolean; readonly reason: string };

type Fill = (
  config: JsonObject | undefined,
  specialTokensMap: JsonObject | undefined,
  tokens: TokenList,
) => readonly TokenEntry[];

export function readByteFallback(model: BpeModel, tokenizer: JsonObject): ByteFallback {
  if (isGemma(tokenizer)) return { isGemma: true, reason: '' };
  try {
    const spacePrefix = readsSpacesAsSentencePiece(tokenizer);
    const scores = scoresOfMerges(model);
    return { spacePrefix, fill: (config, map, tokens) => vocabulary(model, scores, tokenizer, config, map, tokens) };
  } catch (error) {
    if (!(error instanceof NotSentencePiece)) throw error;
    return { isGemma: false, reason: `its BPE with byte fallback is not SentencePiece's: ${error.message}` };
  }
}

class NotSentencePiece extends Error {}

/** Spaces become `▁`, and the text is merged whole: cutting at spaces, which are gone, cuts nothing. */
function isGemma({ normalizer, pre_tokenizer: preTokenizer }: JsonObject): boolean {
  const space = (value: unknown) => isObject(value) && isObject(value.pattern) && value.pattern.String === ' ';
  return (
    isObject(normalizer) &&
    normalizer.type === 'Replace' &&
    space(normalizer) &&
    normalizer.content === '▁' &&
    isObject(preTokenizer) &&
    preTokenizer.type === 'Split' &&
    space(preTokenizer)
  );
}

function vocabulary(
  model: BpeModel,
  scores: ReadonlyMap<string, number>,
  tokenizer: JsonObject,
  config: JsonObject | undefined,
  specialTokensMap: JsonObject | undefined,
  tokens: TokenList,
): readonly TokenEntry[] {
  const special = specialTexts(config, specialTokensMap);
  for (const [text, id] of model.vocab) {
    const type = byteName.test(text) ? tokenTypes.byte : special.has(text) ? tokenTypes.control : tokenTypes.normal;
    const score = type === tokenTypes.normal ? (scores.get(text) ?? 0) : 0;
    tokens.set(id, { text, type, score });
  }
  for (const token of addedTokens(model, tokenizer, config, specialTokensMap)) {
    const control = token.special || looksSpecial(token.text);
    const type = control ? tokenTypes.control : tokenTypes.userDefined;
    const text = control ? token.text : token.text.replaceAll('▁', ' ');
    tokens.set(token.id, { text, type, score: addedScore });
  }
  return tokens.finish(file);
}

/** -1 for the token that the first merge makes, and so on; equal for all merges that make one token. */
function scoresOfMerges({ vocab, merges }: BpeModel): ReadonlyMap<string, number> {
  const scores = new Map<string, number>();
  const pairs = new Map<string, number>();
  let previous: string | undefined;
  for (const [left, right] of merges) {
    const text = left + right;
    pairs.set(text, (pairs.get(text) ?? 0) + 1);
    if (text !== previous && scores.has(text))
      throw new NotSentencePiece(`its merges to ${JSON.stringify(text)} are apart`);
    if (text !== previous) scores.set(text, -1 - scores.size);
    previous = text;
  }
  // SentencePiece merges any two tokens whose joined text is a token, so the list must have every such pair.
  for (const [text, count] of pairs) {
    let possible = 0;
    for (let at = 1; at < text.length; at++) {
      if (vocab.has(text.slice(0, at)) && vocab.has(text.slice(at))) possible++;
    }
    if (possible !== count)
      throw new NotSentencePiece(`it has ${count} of ${possible} merges to ${JSON.stringify(text)}`);
  }
  return scores;
}

/** Whether a space is put before the text. Throws when spaces are not simply written `▁`. */
function readsSpacesAsSentencePiece(tokenizer: JsonObject): boolean {
  let prefix = false;
  let replaced = false;
  for (const step of flattened(tokenizer.normalizer, 'normalizers')) {
    const pattern = isObject(step.pattern) ? step.pattern.String : undefined;
    if (step.type === 'Prepend' && step.prepend === '▁') prefix = true;
    else if (step.type === 'Replace' && pattern === ' ' && step.content === '▁') replaced = true;
    else throw new NotSentencePiece(`it normalizes text by ${step.type}`);
  }
  for (const step of flattened(tokenizer.pre_tokenizer, 'pretokenizers')) {
    if (step.type !== 'Metaspace' || step.replacement !== '▁' || step.split !== false) {
      throw new NotSentencePiece(`it has the pre-tokenizer ${step.type}`);
    }
    replaced = true;
    prefix ||= step.prepend_scheme !== 'never';
  }
  if (!replaced) throw new NotSentencePiece('it leaves spaces as they are');
  return prefix;
}

function flattened(value: unknown, steps: string): readonly JsonObject[] {
  if (!isObject(value)) return [];
  if (value.type !== 'Sequence') return [value];
  return asArray(value[steps], file, steps).flatMap((step) => flattened(step, steps));
}
