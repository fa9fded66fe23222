// tokenizer_config.json and special_tokens_map.json: which tokens mean something, and what the post-processor cannot say.

import { readPostProcessor } from '../huggingface/post-processor.ts';
import { specialTokenKeys } from '../huggingface/special-vocabulary.ts';
import { type MetadataView, readBoolean, readInteger, readString, readStrings } from '../metadata-view.ts';
import { type Tokenizer, tokenTypes } from '../tokenizer.ts';
import type { Vocabulary } from '../vocabulary/vocabulary.ts';

/** `bos_token: "<s>"`… for every special token that the metadata names; of BOS and EOS also what the kind assumes. */
export function specialTokenNames(metadata: MetadataView, tokenizer: Tokenizer): Record<string, string> {
  const names: Record<string, string> = {};
  for (const [name, key] of Object.entries(specialTokenKeys)) {
    // The end of a turn has no place here; generation_config.json lists all tokens that end generation.
    if (name === 'eot') continue;
    const assumed = name === 'bos' ? tokenizer.bos : name === 'eos' ? tokenizer.eos : undefined;
    const id = readInteger(metadata, key) ?? assumed;
    if (id !== undefined && id >= 0 && id < tokenizer.vocabSize) names[`${name}_token`] = tokenizer.piece(id);
  }
  return names;
}

/** @param json tokenizer.json  @param addedTokensDecoder entries for `added_tokens_decoder` */
export function tokenizerConfig(
  metadata: MetadataView,
  names: Readonly<Record<string, string>>,
  json: Record<string, unknown>,
  addedTokensDecoder: Readonly<Record<string, object>>,
): Record<string, unknown> {
  const config: Record<string, unknown> = { ...names };
  // Only what reading the post-processor does not tell: a flag beside it is a second say.
  const { added } = readPostProcessor(json, config);
  for (const name of ['bos', 'eos', 'sep'] as const) {
    const says = readBoolean(metadata, `tokenizer.ggml.add_${name}_token`);
    if (says !== undefined && !added.has(name)) config[`add_${name}_token`] = says;
  }
  const prefix = readBoolean(metadata, 'tokenizer.ggml.add_space_prefix');
  if (prefix !== undefined) config.add_prefix_space = prefix;
  if (Object.keys(addedTokensDecoder).length > 0) config.added_tokens_decoder = addedTokensDecoder;
  const templates = namedTemplates(metadata);
  if (templates.length > 0) config.chat_template = templates;
  const architecture = readString(metadata, 'general.architecture');
  const contextLength = readInteger(metadata, `${architecture}.context_length`);
  return {
    ...config,
    clean_up_tokenization_spaces: false,
    ...(contextLength !== undefined && { model_max_length: contextLength }),
    tokenizer_class: 'PreTrainedTokenizerFast',
  };
}

/** Several templates go into the configuration, one alone into chat_template.jinja. */
function namedTemplates(metadata: MetadataView): { name: string; template: string }[] {
  const names = readStrings(metadata, 'tokenizer.chat_templates') ?? [];
  if (names.length === 0) return [];
  const of = (name: string, key: string) => {
    const template = readString(metadata, key);
    return template === undefined ? [] : [{ name, template }];
  };
  return [
    ...of('default', 'tokenizer.chat_template'),
    ...names.flatMap((name) => of(name, `tokenizer.chat_template.${name}`)),
  ];
}

/** The names, and the unknown token of a SentencePiece vocabulary, which GGUF files often do not name. */
export function specialTokensMap(
  names: Readonly<Record<string, string>>,
  { texts, types }: Vocabulary,
): Record<string, string> {
  const unknown = types.indexOf(tokenTypes.unknown);
  return { ...(unknown >= 0 && { unk_token: texts[unknown]! }), ...names };
}
