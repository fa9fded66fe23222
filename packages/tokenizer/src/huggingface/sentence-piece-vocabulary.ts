// The token list of a checkpoint with `tokenizer.model` (converter: `_create_vocab_sentencepiece`): the model's pieces, over
// them added_tokens.json, over both tokenizer_config.json's `added_tokens_decoder`.

import { tokenTypes } from '../tokenizer.ts';
import { addedTokensOfConfig, looksSpecial } from './added-tokens.ts';
import { asId, type JsonObject } from './checkpoint-files.ts';
import { parseSentencePieceModel } from './sentence-piece-model.ts';
import { addedScore, type TokenEntry, type TokenList } from './token-list.ts';

export function sentencePieceVocabulary(
  model: Uint8Array,
  addedTokens: JsonObject | undefined,
  config: JsonObject | undefined,
  tokens: TokenList,
): readonly TokenEntry[] {
  parseSentencePieceModel(model).pieces.forEach(({ text, score, type }, id) => {
    // The converter does not tell user-defined pieces from normal ones.
    const kept = type === tokenTypes.userDefined ? tokenTypes.normal : type;
    tokens.set(id, { text, score, type: kept });
  });
  for (const [text, value] of Object.entries(addedTokens ?? {})) {
    const id = asId(value, 'added_tokens.json', `the id of ${JSON.stringify(text)}`);
    tokens.set(id, { text, score: addedScore, type: tokenTypes.userDefined });
  }
  for (const { id, text, special } of addedTokensOfConfig(config)) {
    const control = special || looksSpecial(text);
    const token: TokenEntry = {
      text: control ? text : text.replaceAll('▁', ' '),
      score: addedScore,
      type: control ? tokenTypes.control : tokenTypes.userDefined,
    };
    tokens.set(id, token);
  }
  return tokens.finish('tokenizer.model');
}
