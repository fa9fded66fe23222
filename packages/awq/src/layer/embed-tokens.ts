// The residual stream that enters the first block: the embedding of every token.
import { codecOf } from '@quern/blocks';
import type { ModelView } from '@quern/checkpoint';
import { networkOf } from '@quern/models';
import { requireFinite } from './layer-weights.ts';

/** [tokens, width] per sequence. */
export async function embedTokens(view: ModelView, sequences: readonly Int32Array[]): Promise<Float32Array[]> {
  const embedding = view.tensors.get('token_embd.weight')!;
  const { scale = 1 } = networkOf(view).embedding;
  const { cols, rowBytes, dtype, name, file, offset } = embedding;
  const states = sequences.map((ids) => new Float32Array(ids.length * cols));
  const bytes = new Uint8Array(rowBytes);
  const rows = new Map<number, Float32Array>();
  for (const id of new Set(sequences.flatMap((ids) => [...ids]))) {
    await embedding.readRows(id, 1, bytes);
    const row = new Float32Array(cols);
    codecOf(dtype).decode(bytes, row);
    if (scale !== 1) for (let c = 0; c < cols; c++) row[c]! *= scale;
    requireFinite(row, `The embedding of token ${id} is NaN or infinite.`, { file, tensor: name, offset });
    rows.set(id, row);
  }
  for (const [s, ids] of sequences.entries())
    for (const [t, id] of ids.entries()) states[s]!.set(rows.get(id)!, t * cols);
  return states;
}
