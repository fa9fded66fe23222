// Ids of special tokens and whether BOS, EOS and SEP are added (converter: gguf-py `SpecialVocab`). The post-processor of
// tokenizer.json says what is added, tokenizer_config.json names the tokens, config.json gives ids where both are silent.

import { addedTokensOfTokenizer } from './added-tokens.ts';
import { isObject, type JsonObject } from './checkpoint-files.ts';
import type { GgufLikeMetadata } from './gguf-like-value.ts';
import { type AddableToken, readPostProcessor } from './post-processor.ts';

/** Special tokens that GGUF has a key for, in the converter's order. */
export const specialTokenKeys: Readonly<Record<string, string>> = {
  bos: 'tokenizer.ggml.bos_token_id',
  eos: 'tokenizer.ggml.eos_token_id',
  unk: 'tokenizer.ggml.unknown_token_id',
  sep: 'tokenizer.ggml.seperator_token_id',
  pad: 'tokenizer.ggml.padding_token_id',
  mask: 'tokenizer.ggml.mask_token_id',
  eot: 'tokenizer.ggml.eot_token_id',
};

export function writeSpecialVocabulary(
  metadata: GgufLikeMetadata,
  tokenizer: JsonObject | undefined,
  tokenizerConfig: JsonObject | undefined,
  modelConfig: JsonObject | undefined,
  vocabSize: number,
): void {
  const config = tokenizerConfig && Object.keys(tokenizerConfig).length > 0 ? tokenizerConfig : undefined;
  const { texts, added } = readPostProcessor(tokenizer, config);
  const idOf = new Map<string, number>();
  for (const { text, id } of tokenizer ? addedTokensOfTokenizer(tokenizer) : []) {
    if (!idOf.has(text)) idOf.set(text, id);
  }
  const ids = new Map<string, number>();
  const setId = (name: string, id: unknown) => {
    // Other values than ids stand for "no such token" (null, -1) or are for generation (a list of EOS ids).
    const valid = Number.isSafeInteger(id) && (id as number) >= 0 && (id as number) < vocabSize;
    if (valid && !ids.has(name)) ids.set(name, id as number);
  };
  if (config) {
    for (const name of Object.keys(specialTokenKeys)) {
      const add = config[`add_${name}_token`];
      if (isAddable(name) && typeof add === 'boolean' && !added.has(name)) added.set(name, add);
      const text = texts.get(name);
      if (text !== undefined) setId(name, idOf.get(text));
    }
  }
  const textConfig = isObject(modelConfig?.text_config) ? modelConfig.text_config : undefined;
  for (const name of Object.keys(specialTokenKeys)) {
    if (name === 'eot' && !texts.has('eot')) continue;
    setId(name, modelConfig?.[`${name}_token_id`] ?? textConfig?.[`${name}_token_id`]);
  }
  for (const [name, value] of ids) metadata.set(specialTokenKeys[name] as string, { type: 'uint32', value });
  for (const [name, value] of added) metadata.set(`tokenizer.ggml.add_${name}_token`, { type: 'bool', value });
}

function isAddable(name: string): name is AddableToken {
  return name === 'bos' || name === 'eos' || name === 'sep';
}
