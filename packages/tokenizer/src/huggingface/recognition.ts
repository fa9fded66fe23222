// How added tokens are found in a text, where a checkpoint says it otherwise than llama.cpp takes it from their types and
// spelling.

import { beyondKeys } from '../beyond-gguf.ts';
import { tokenTypes } from '../tokenizer.ts';
import { textsTakenAsSpecial } from '../vocabulary/special-tokens.ts';
import { type AddedToken, addedTokensOfConfig, addedTokensOfTokenizer, specialTexts } from './added-tokens.ts';
import type { JsonObject } from './checkpoint-files.ts';
import type { GgufLikeMetadata } from './gguf-like-value.ts';

const { control, unknown, userDefined, normal } = tokenTypes;

/** @param tokenizer tokenizer.json  @param configs tokenizer_config.json and special_tokens_map.json */
export function writeRecognition(
  metadata: GgufLikeMetadata,
  tokenizer: JsonObject,
  ...configs: readonly (JsonObject | undefined)[]
): void {
  const texts = (metadata.get('tokenizer.ggml.tokens')?.value ?? []) as readonly string[];
  const types = (metadata.get('tokenizer.ggml.token_type')?.value ?? []) as readonly number[];
  const named = specialTexts(...configs);
  const ofTokenizer = addedTokensOfTokenizer(tokenizer);
  const added = new Map<number, AddedToken>(
    texts.flatMap((text, id) => (named.has(text) ? [[id, { id, text, special: true }] as const] : [])),
  );
  for (const token of [...ofTokenizer, ...addedTokensOfConfig(configs[0])])
    if (token.id < texts.length) added.set(token.id, token);
  const byType = (text: string, id: number) =>
    types[id] === control || types[id] === userDefined || types[id] === unknown || textsTakenAsSpecial.has(text);
  const isOtherwise = (text: string, id: number) => byType(text, id) !== added.has(id);
  if (texts.some(isOtherwise)) {
    metadata.set(beyondKeys.added, { type: 'array', of: 'int32', value: [...added.keys()] });
    const plain = [...added.values()].filter(({ id, special }) => !special && types[id] === normal);
    setIds(
      metadata,
      beyondKeys.addedText,
      plain.map(({ id }) => id),
    );
  }
  setIds(
    metadata,
    beyondKeys.stripsLeft,
    ofTokenizer.filter(({ stripsLeft }) => stripsLeft).map(({ id }) => id),
  );
  setIds(
    metadata,
    beyondKeys.stripsRight,
    ofTokenizer.filter(({ stripsRight }) => stripsRight).map(({ id }) => id),
  );
}

function setIds(metadata: GgufLikeMetadata, key: string, ids: readonly number[]): void {
  if (ids.length > 0) metadata.set(key, { type: 'array', of: 'int32', value: [...ids] });
}
