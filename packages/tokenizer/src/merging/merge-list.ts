// The list of merges of a BPE vocabulary (`tokenizer.ggml.merges`, `left right` in order of rank) as a table.

import { QuernError } from '@quern/errors';
import { MergeTable } from './merge-table.ts';
import type { SymbolTexts } from './symbol-texts.ts';

/** The two parts of `left right`. The first character is never the separator, so a token may begin with a space. */
export function partsOfMerge(merge: string, rank: number): [left: string, right: string] {
  const separator = merge.indexOf(' ', 1);
  if (separator === -1) {
    throw new QuernError('tokenizer-merge-malformed', `Merge ${rank} (${JSON.stringify(merge)}) is not a pair.`, {
      remedy: 'Convert the model again from its original checkpoint.',
    });
  }
  return [merge.slice(0, separator), merge.slice(separator + 1)];
}

export function tableOfMerges(merges: readonly string[], texts: SymbolTexts): MergeTable {
  const table = new MergeTable(merges.length);
  merges.forEach((merge, rank) => {
    const [left, right] = partsOfMerge(merge, rank);
    table.add(texts.symbolOf(left), texts.symbolOf(right), rank, texts.symbolOf(left + right));
  });
  return table;
}
