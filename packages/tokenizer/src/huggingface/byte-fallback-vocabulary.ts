// The token list of a checkpoint that has a SentencePiece vocabulary in tokenizer.json only: BPE with `byte_fallback`
// (converter: `LlamaHfVocab`).
//
// GGUF's SentencePiece tokenizer goes by scores, tokenizer.json by a list of merges. The converter gives every token one
// score, and its files then split text differently from the model; here a token's score is the place of its first merge,
// which gives the order of the list, provided that the list has the shape that only a SentencePiece model gives it.

import { QuernError } from '@quern/errors';
import { tokenTypes } from '../tokenizer.ts';
import { looksSpecial, specialTexts } from './added-tokens.ts';
import type { BpeModel } from './bpe-model.ts';
import { addedTokens } from './byte-level-vocabulary.ts';
import { asArray, isObject, type JsonObject } from './checkpoint-files.ts';
import { addedScore, type TokenEntry, type TokenList } from './token-list.ts';

const file = 'tokenizer.json';
const byteName = /^<0x[0-9A-Fa-f]{2}>$/;

export interface ByteFallbackVocabulary {
  tokens: readonly TokenEntry[];
  /** Whether a space is put before the text. */
  spacePrefix: boolean;
}

export function byteFallbackVocabulary(
  model: BpeModel,
  tokenizer: JsonObject,
  config: JsonObject | undefined,
  specialTokensMap: JsonObject | undefined,
  tokens: TokenList,
): ByteFallbackVocabulary {
  const spacePrefix = readsSpacesAsSentencePiece(tokenizer);
  const scores = scoresOfMerges(model);
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
  return { tokens: tokens.finish(file), spacePrefix };
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
      throw notSentencePiece(`its merges to ${JSON.stringify(text)} are apart`);
    if (text !== previous) scores.set(text, -1 - scores.size);
    previous = text;
  }
  // SentencePiece merges any two tokens whose joined text is a token, so the list must have every such pair.
  for (const [text, count] of pairs) {
    let possible = 0;
    for (let at = 1; at < text.length; at++) {
      if (vocab.has(text.slice(0, at)) && vocab.has(text.slice(at))) possible++;
    }
    if (possible !== count) throw notSentencePiece(`it has ${count} of ${possible} merges to ${JSON.stringify(text)}`);
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
    else throw notSentencePiece(`it normalizes text by ${step.type}`);
  }
  for (const step of flattened(tokenizer.pre_tokenizer, 'pretokenizers')) {
    if (step.type !== 'Metaspace' || step.replacement !== '▁' || step.split !== false) {
      throw notSentencePiece(`it has the pre-tokenizer ${step.type}`);
    }
    replaced = true;
    prefix ||= step.prepend_scheme !== 'never';
  }
  if (!replaced) throw notSentencePiece('it leaves spaces as they are');
  return prefix;
}

function flattened(value: unknown, steps: string): readonly JsonObject[] {
  if (!isObject(value)) return [];
  if (value.type !== 'Sequence') return [value];
  return asArray(value[steps], file, steps).flatMap((step) => flattened(step, steps));
}

function notSentencePiece(reason: string): QuernError {
  return new QuernError(
    'tokenizer-kind-unsupported',
    `The BPE with byte fallback in tokenizer.json is not SentencePiece's: ${reason}.`,
    { file, remedy: "Put the model's tokenizer.model beside it; it is used first." },
  );
}
