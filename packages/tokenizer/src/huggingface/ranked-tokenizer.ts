// A rank list with what goes around it, as the tokenizer.json that says the same.
import type { JsonObject } from './checkpoint-files.ts';
import type { Merge } from './merges-of-ranks.ts';
import type { RankList } from './rank-list.ts';

export interface RankedTokenizer {
  readonly ranks: RankList;
  /** The id of rank 0. */
  readonly firstId: number;
  readonly merges: readonly Merge[];
  readonly ignoreMerges: boolean;
  /** The expression that cuts a text into words; undefined when nobody knows it. */
  readonly pattern: string | undefined;
  /** NFC before anything else. */
  readonly composes?: boolean;
  readonly specials: readonly (readonly [text: string, id: number])[];
}

export function rankedTokenizer({
  ranks,
  firstId,
  merges,
  ignoreMerges,
  pattern,
  composes,
  specials,
}: RankedTokenizer): JsonObject {
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, use_regex: false };
  const split = { type: 'Split', pattern: { Regex: pattern }, behavior: 'Isolated', invert: false };
  return {
    normalizer: composes ? { type: 'NFC' } : null,
    pre_tokenizer: pattern === undefined ? null : { type: 'Sequence', pretokenizers: [split, byteLevel] },
    model: {
      type: 'BPE',
      vocab: Object.fromEntries([...ranks].map(([text, rank]) => [text, firstId + rank])),
      merges,
      ignore_merges: ignoreMerges,
    },
    added_tokens: specials.map(([content, id]) => ({ id, content, special: true })),
  };
}
