// What draft blocks (MTP) multiply with. Draft block k reads at every position the hidden state of what stands before it (the
// network for k = 0) and the token k + 1 places on, so the last places of a chunk give it nothing.
import type { Model, TokenBatch } from '@quern/models';
import type { ImportanceCollector } from './collector.ts';

/** @param batch the last pass over the network: positions of `chunk` as they follow each other */
export async function collectDraftInputs(
  { draft }: Model,
  chunk: Int32Array,
  batch: TokenBatch,
  collector: ImportanceCollector,
): Promise<void> {
  const first = batch.positions[0]!;
  for (let block = 0; block < (draft?.count ?? 0); block++) {
    const rows = Math.min(batch.tokens.length, chunk.length - first - block - 1);
    if (rows < 1) return;
    await draft!.prefill(
      {
        ...{ block, from: block === 0 ? 'network' : 'draft' },
        hiddenRows: Int32Array.from({ length: rows }, (_, row) => row),
        tokens: chunk.subarray(first + block + 1, first + block + 1 + rows),
        positions: batch.positions.subarray(0, rows),
        seqs: batch.seqs.subarray(0, rows),
        blockTable: batch.blockTable,
      },
      collector,
    );
  }
}
