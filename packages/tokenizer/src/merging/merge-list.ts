// The list of merges of a BPE vocabulary (`tokenizer.ggml.merges`, `left right` in order of rank), looked up pair by pair.

import { QuernError } from '@quern/errors';
import { TextIndex } from '../vocabulary/text-index.ts';
import type { MergeOf } from './merge-table.ts';
import type { SymbolTexts } from './symbol-texts.ts';

/** Where the space of `left right` is. The first character never is the separator, so a token may begin with a space. */
export function separatorOf(merge: string, rank: number): number {
  const separator = merge.indexOf(' ', 1);
  if (separator !== -1) return separator;
  throw new QuernError('tokenizer-merge-malformed', `Merge ${rank} (${JSON.stringify(merge)}) is not a pair.`, {
    remedy: 'Convert the model again from its original checkpoint.',
  });
}

/** @throws QuernError `tokenizer-merge-malformed` */
export function listedMerges(merges: readonly string[], texts: SymbolTexts): MergeOf {
  for (const [rank, merge] of merges.entries()) separatorOf(merge, rank);
  const ranks = new TextIndex(merges);
  return (left, right) => {
    const [leftText, rightText] = [texts.textOf(left), texts.textOf(right)];
    const rank = ranks.get(`${leftText} ${rightText}`);
    // Texts with spaces in them may read like another pair.
    if (rank === undefined || separatorOf(merges[rank] as string, rank) !== leftText.length) return undefined;
    return { rank, merged: texts.symbolOf(leftText + rightText) };
  };
}
