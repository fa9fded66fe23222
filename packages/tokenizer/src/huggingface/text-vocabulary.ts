// The token list of a checkpoint whose BPE merges the text itself by a list of merges, with byte fallback (Gemma 4;
// converter: `Gemma4Model.set_vocab`, gguf-py `LlamaHfVocab`).

import { tokenTypes } from '../tokenizer.ts';
import { specialTexts } from './added-tokens.ts';
import type { BpeModel } from './bpe-model.ts';
import { addedTokens } from './byte-level-vocabulary.ts';
import type { JsonObject } from './checkpoint-files.ts';
import { addedScore, type TokenEntry, type TokenList } from './token-list.ts';

const byteName = /^<0x[0-9A-Fa-f]{2}>$/;

/** Control tokens that whoever reads an answer has to see. */
const visible: ReadonlySet<string> = new Set([
  ...['<|channel>', '<channel|>', '<|tool_call>', '<tool_call|>', '<|tool_response>', '<tool_response|>', '<|"|>'],
]);

export function textVocabulary(
  model: BpeModel,
  tokenizer: JsonObject,
  config: JsonObject | undefined,
  specialTokensMap: JsonObject | undefined,
  tokens: TokenList,
): readonly TokenEntry[] {
  const special = new Set([...specialTexts(config, specialTokensMap), '<mask>']);
  const typeOf = (text: string, isAdded: boolean): number => {
    if (visible.has(text)) return tokenTypes.userDefined;
    if (byteName.test(text)) return tokenTypes.byte;
    if (special.has(text)) return tokenTypes.control;
    return isAdded ? tokenTypes.userDefined : tokenTypes.normal;
  };
  const entry = (text: string, isAdded: boolean) => ({ text, type: typeOf(text, isAdded), score: addedScore });
  for (const [text, id] of model.vocab) tokens.set(id, entry(text, false));
  for (const { id, text } of addedTokens(model, tokenizer, config, specialTokensMap)) {
    if (!model.vocab.has(text)) tokens.set(id, entry(text, true));
  }
  return tokens.finish('tokenizer.json');
}
