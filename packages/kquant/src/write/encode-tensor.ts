// One tensor as a file would hold it, in memory: for measuring what a type does before a file is written.
import { rowBytes, type TranscodePool, type TranscodeReport } from '@quern/blocks';
import type { TensorView } from '@quern/checkpoint';
import type { TensorPlan } from '../plan/plan.ts';
import { formOf } from './source-view.ts';
import { transcodeRows } from './transcode-rows.ts';

export interface EncodedTensor {
  readonly bytes: Uint8Array;
  readonly report: TranscodeReport;
}

/**
 * The bytes that `writeModel` would write for `tensor`, all at once.
 * @param importance [matrices, cols], when the plan uses it
 */
export async function encodeTensor(
  pool: TranscodePool,
  tensor: TensorPlan,
  view: TensorView,
  importance?: Float32Array,
): Promise<EncodedTensor> {
  const bytes = new Uint8Array(tensor.rows * rowBytes(tensor.to, tensor.cols));
  const write = async (piece: Uint8Array, offset: number): Promise<void> => bytes.set(piece, offset);
  const source = formOf(view, tensor) ?? view;
  const report = await transcodeRows(pool, tensor, { first: 0, count: tensor.rows }, source, write, importance);
  return { bytes, report };
}
