// The vocabulary as a tree over bytes, with what grammars have found out about it.
import { type ByteTree, nextTreeId } from './byte-tree.ts';
import { SharedMasks } from './shared-masks.ts';
import { type TokenBytes, type VocabularyTree, vocabularyTree } from './vocabulary-tree.ts';

export class TokenTrie implements ByteTree {
  readonly id = nextTreeId();
  readonly vocabSize: number;
  readonly bytes: Uint8Array;
  readonly depths: Uint16Array;
  readonly ends: Int32Array;
  readonly tokenStarts: Int32Array;
  readonly tokenIds: Int32Array;
  /** What grammars have found out that holds for every one. */
  readonly shared = new SharedMasks();
  readonly #text: Uint8Array;
  readonly #textStarts: Int32Array;

  /** @param vocabulary the bytes of its tokens, or its tree, which another thread may have laid out */
  constructor(vocabulary: TokenBytes | VocabularyTree) {
    const tree = 'text' in vocabulary ? vocabulary : vocabularyTree(vocabulary);
    this.bytes = tree.bytes;
    this.depths = tree.depths;
    this.ends = tree.ends;
    this.tokenStarts = tree.tokenStarts;
    this.tokenIds = tree.tokenIds;
    this.#text = tree.text;
    this.#textStarts = tree.textStarts;
    this.vocabSize = tree.textStarts.length - 1;
  }

  /** None of a token that is not text. */
  bytesOf(token: number): Uint8Array {
    return this.#text.subarray(this.#textStarts[token] ?? 0, this.#textStarts[token + 1] ?? 0);
  }
}
