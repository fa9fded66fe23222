// Byte-level BPE as the parts of tokenizer.json: the pre-tokenizer by its expressions, vocabulary and merges as they are.

import { QuernError } from '@quern/errors';
import { preTokenizerOf } from '../from-gguf.ts';
import { separatorOf } from '../merging/merge-list.ts';
import { type MetadataView, readStrings } from '../metadata-view.ts';
import { asTokenizerJsonWrites } from '../pre-tokenizer/patterns.ts';
import type { Vocabulary } from '../vocabulary/vocabulary.ts';
import { vocabOf } from './added-tokens.ts';
import type { TokenizerParts } from './tokenizer-json.ts';

/** @throws QuernError `pre-tokenizer-unknown`, `tokenizer-not-expressible` */
export function byteLevelParts(metadata: MetadataView, vocabulary: Vocabulary): TokenizerParts {
  const { patterns, ignoreMerges } = preTokenizerOf(metadata);
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false };
  const splits = patterns.map((pattern) => ({
    type: 'Split',
    pattern: { Regex: asTokenizerJsonWrites(pattern) },
    behavior: 'Isolated',
    invert: false,
  }));
  return {
    normalizer: null,
    preTokenizer: { type: 'Sequence', pretokenizers: [...splits, byteLevel] },
    decoder: { ...byteLevel, add_prefix_space: true, use_regex: true },
    model: {
      type: 'BPE',
      unk_token: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: ignoreMerges,
      vocab: vocabOf(vocabulary),
      merges: mergePairs(readStrings(metadata, 'tokenizer.ggml.merges') ?? [], vocabulary),
    },
  };
}

/** The tokenizers library does not load a merge whose tokens are not in the vocabulary. */
export function mergePairs(merges: readonly string[], { idOf }: Vocabulary): [string, string][] {
  return merges.map((merge, rank) => {
    const cut = separatorOf(merge, rank);
    const pair: [string, string] = [merge.slice(0, cut), merge.slice(cut + 1)];
    for (const text of [...pair, pair.join('')]) {
      if (idOf.has(text)) continue;
      throw new QuernError(
        'tokenizer-not-expressible',
        `Merge ${rank} (${JSON.stringify(merge)}) needs the token ${JSON.stringify(text)}, which is not there.`,
        { remedy: 'Take the tokenizer files from the original checkpoint.' },
      );
    }
    return pair;
  });
}
