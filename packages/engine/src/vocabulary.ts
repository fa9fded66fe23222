// A model's vocabulary as grammars need it.
import { type VocabularyTree, vocabularyTree } from '@quern/grammar';
import { type MetadataView, type Tokenizer, tokenizerFromGguf } from '@quern/tokenizer';

export interface Vocabulary {
  readonly tokenizer: Tokenizer;
  readonly tree: VocabularyTree;
}

/** @throws QuernError those of `tokenizerFromGguf` */
export function readVocabulary(metadata: MetadataView): Vocabulary {
  const tokenizer = tokenizerFromGguf(metadata);
  // Control tokens have no bytes of their own: a grammar names them as tokens, or not at all.
  const bytes = Array.from({ length: tokenizer.vocabSize }, (_, id) => tokenizer.decodeBytes([id]));
  return { tokenizer, tree: vocabularyTree(bytes) };
}

/** The token whose text this is, special ones included. */
export function tokenNamed(tokenizer: Tokenizer, text: string): number | undefined {
  const ids = tokenizer.encode(text, { parseSpecial: true });
  return ids.length === 1 ? ids[0] : undefined;
}
