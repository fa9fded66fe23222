// The paged cache that kvWrite and attention share: position p of sequence s lives in cell
// blockTable[s][p / blockTokens] · blockTokens + p % blockTokens.
import { QuernError } from '@quern/errors';
import type { Dims, Indices, Operand } from './op.ts';

export const pagingOperands: readonly Operand[] = [
  { name: 'blockTable', dtype: 'I32', shape: ['S', 'maxBlocks'] },
  { name: 'seq', dtype: 'I32', shape: ['T'], below: 'S' },
  { name: 'pos', dtype: 'I32', shape: ['T'], below: 'maxBlocks*blockTokens' },
];

/** A cache is whole blocks. @throws QuernError `op-bad-shape` */
export function checkCells(op: string, { cells, blockTokens }: Dims): void {
  if (cells! % blockTokens!)
    throw new QuernError('op-bad-shape', `${op}: the cache has ${cells} cells, not a multiple of ${blockTokens}`);
}

/**
 * Every block that the tokens touch must exist. Entries of the table that nobody touches may hold anything.
 * @param touched the first and last position that a token touches
 * @throws QuernError `op-index-out-of-range`
 */
export function checkBlocks(
  op: string,
  indices: Indices,
  dims: Dims,
  touched: (token: number) => { readonly first: number; readonly last: number },
): void {
  const [table, seq, pos] = [indices('blockTable'), indices('seq'), indices('pos')];
  const { maxBlocks, blockTokens } = dims as { maxBlocks: number; blockTokens: number };
  const blocks = dims.cells! / blockTokens;
  // Consecutive tokens of one sequence touch nearly the same blocks: remember how far it has been checked.
  const checked = new Map<number, { from: number; to: number }>();
  for (let t = 0; t < seq.length; t++) {
    const s = seq[t]!;
    const { first, last } = touched(t);
    const from = Math.floor(first / blockTokens);
    const to = Math.floor(last / blockTokens);
    const known = checked.get(s);
    for (let b = from; b <= to; b++) {
      if (known && b >= known.from && b <= known.to) {
        b = known.to;
        continue;
      }
      const block = table[s * maxBlocks + b]!;
      if (block < 0 || block >= blocks)
        throw new QuernError(
          'op-index-out-of-range',
          `${op}: blockTable[${s}][${b}] is ${block}; the cache has ${blocks} blocks (token ${t}, pos ${pos[t]})`,
        );
    }
    if (!known || from > known.to + 1 || to < known.from - 1) checked.set(s, { from, to });
    else checked.set(s, { from: Math.min(from, known.from), to: Math.max(to, known.to) });
  }
}
