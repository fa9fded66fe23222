// The token list of a checkpoint with byte-level BPE in tokenizer.json (converter: `get_vocab_base`).

import { QuernError } from '@quern/errors';
import { tokenTypes } from '../tokenizer.ts';
import {
  type AddedToken,
  addedTokensOfConfig,
  addedTokensOfTokenizer,
  looksSpecial,
  specialTexts,
} from './added-tokens.ts';
import type { BpeModel } from './bpe-model.ts';
import type { JsonObject } from './checkpoint-files.ts';
import type { TokenEntry, TokenList } from './token-list.ts';

const file = 'tokenizer.json';

/** A model of tokenizer.json by its vocabulary alone. */
type TokenIds = Pick<BpeModel, 'vocab'>;

export function byteLevelVocabulary(
  model: TokenIds,
  tokenizer: JsonObject,
  config: JsonObject | undefined,
  specialTokensMap: JsonObject | undefined,
  tokens: TokenList,
): readonly TokenEntry[] {
  for (const [text, id] of model.vocab) tokens.set(id, { text, type: tokenTypes.normal, score: 0 });
  for (const { id, text, special } of addedTokens(model, tokenizer, config, specialTokensMap)) {
    const control = special || looksSpecial(text);
    const token: TokenEntry = {
      text: control ? text : text.replaceAll('▁', ' '),
      type: control ? tokenTypes.control : tokenTypes.userDefined,
      score: 0,
    };
    tokens.set(id, token);
  }
  checkNoGaps(model, tokens);
  return tokens.finish(file);
}

/**
 * What transformers counts as added: tokenizer.json's list, over it tokenizer_config.json's, and then the texts that the
 * configuration makes special and that neither has (with the next free id when the vocabulary has no such token).
 */
export function addedTokens(
  model: TokenIds,
  tokenizer: JsonObject,
  config: JsonObject | undefined,
  specialTokensMap: JsonObject | undefined,
): readonly AddedToken[] {
  const byText = new Map<string, AddedToken>();
  for (const token of [...addedTokensOfTokenizer(tokenizer), ...addedTokensOfConfig(config)]) {
    byText.set(token.text, token);
  }
  for (const text of specialTexts(config, specialTokensMap)) {
    if (byText.has(text)) continue;
    byText.set(text, { id: model.vocab.get(text) ?? nextId(model, byText.values()), text, special: true });
  }
  return [...byText.values()];
}

function nextId(model: TokenIds, added: Iterable<AddedToken>): number {
  let next = model.vocab.size;
  for (const { id } of added) next = Math.max(next, id + 1);
  return next;
}

/** Most ids without a token inside a vocabulary; real ones reserve a few dozen. */
const maxGap = 1024;

/** Ids may be missing behind the vocabulary (the embedding is often rounded up), hardly inside it. */
function checkNoGaps(model: TokenIds, tokens: TokenList): void {
  let last = 0;
  for (const id of model.vocab.values()) if (id < tokens.limit) last = Math.max(last, id);
  let missing = 0;
  for (let id = 0; id < last; id++) if (!tokens.get(id)) missing++;
  if (missing <= maxGap) return;
  throw new QuernError('tokenizer-vocab-gap', `The vocabulary goes up to ${last}, but ${missing} ids have no token.`, {
    file,
    remedy: 'Download tokenizer.json again: a part of its vocabulary is missing.',
  });
}
