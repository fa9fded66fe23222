// Tokens added to a vocabulary after training: special tokens and user-defined ones.

import { QuernError } from '@quern/errors';
import { asArray, asId, asObject, asString, isObject, type JsonObject, malformed } from './checkpoint-files.ts';

export interface AddedToken {
  id: number;
  text: string;
  /** Never part of the text: recognised only where the template writes it. */
  special: boolean;
  /** Takes the white space before it, and behind it. */
  stripsLeft?: boolean;
  stripsRight?: boolean;
}

/** `added_tokens` of tokenizer.json. */
export function addedTokensOfTokenizer(tokenizer: JsonObject): readonly AddedToken[] {
  const file = 'tokenizer.json';
  if (tokenizer.added_tokens === undefined || tokenizer.added_tokens === null) return [];
  const texts = new Map<number, string>();
  return asArray(tokenizer.added_tokens, file, 'added_tokens').map((entry, index) => {
    const token = asObject(entry, file, `added_tokens[${index}]`);
    const text = asString(token.content, file, `added_tokens[${index}].content`);
    const id = asId(token.id, file, `added_tokens[${index}].id`);
    const other = texts.get(id) ?? text;
    if (other !== text) {
      throw new QuernError(
        'tokenizer-vocab-duplicate',
        `The added tokens ${JSON.stringify(other)} and ${JSON.stringify(text)} both have the id ${id}.`,
        { file, remedy: `Download ${file} again, or give each token its own id.` },
      );
    }
    texts.set(id, text);
    return {
      id,
      text,
      special: token.special === true,
      ...(token.lstrip === true && { stripsLeft: true }),
      ...(token.rstrip === true && { stripsRight: true }),
    };
  });
}

/** `added_tokens_decoder` of tokenizer_config.json: `{"32000": {"content": …}}`. */
export function addedTokensOfConfig(config: JsonObject | undefined): readonly AddedToken[] {
  const file = 'tokenizer_config.json';
  if (!isObject(config?.added_tokens_decoder)) return [];
  return Object.entries(config.added_tokens_decoder).map(([key, entry]) => {
    const token = asObject(entry, file, `added_tokens_decoder["${key}"]`);
    if (!/^\d{1,9}$/.test(key)) throw malformed(file, `is malformed: added_tokens_decoder["${key}"] is not an id`);
    const text = asString(token.content, file, `added_tokens_decoder["${key}"].content`);
    return { id: Number(key), text, special: token.special === true };
  });
}

const specialNames = ['bos', 'eos', 'unk', 'sep', 'pad', 'cls', 'mask'];

/** The texts that the configuration gives a meaning (`bos_token`, `additional_special_tokens`…): transformers makes them special. */
export function specialTexts(...configs: readonly (JsonObject | undefined)[]): ReadonlySet<string> {
  const texts = new Set<string>();
  for (const config of configs) {
    for (const name of specialNames) add(tokenText(config?.[`${name}_token`]));
    for (const more of [config?.additional_special_tokens, config?.extra_special_tokens]) {
      const entries = isObject(more) ? Object.values(more) : Array.isArray(more) ? more : [];
      for (const entry of entries) add(tokenText(entry));
    }
  }
  return texts;

  function add(text: string | undefined): void {
    if (text !== undefined) texts.add(text);
  }
}

/** `"<s>"` or `{"content": "<s>"}` */
export function tokenText(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return isObject(value) && typeof value.content === 'string' ? value.content : undefined;
}

/** Tokens that ought to be special but are not marked so in some families (DeepSeek Coder, Gemma, Command R). */
export function looksSpecial(text: string): boolean {
  return (
    ['<pad>', '<mask>', '<2mass>', '[@BOS@]'].includes(text) ||
    (text.startsWith('<|') && text.endsWith('|>')) ||
    (text.startsWith('<｜') && text.endsWith('｜>')) ||
    (text.startsWith('<unused') && text.endsWith('>'))
  );
}
