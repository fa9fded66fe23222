// A model with the scales of AWQ's search folded in: norms divided, columns multiplied, the same function. What is
// quantized afterwards, by whatever method, has its important channels enlarged. Nothing is read until rows are asked for.
import { codecOf, dtypeByName } from '@quern/blocks';
import { checkRowRange, type ModelView, type TensorView } from '@quern/checkpoint';
import { bytesOf } from '../layer/layer-weights.ts';
import { type PairScales, scaleRows, scalingsOf, type TensorScaling } from './pair-scales.ts';

export type FoldedPair = Pick<PairScales, 'prev' | 'layers' | 'followers' | 'scales'>;

/** Tensors that change become F32. Closing the view closes the one it was made of. */
export function foldScales(view: ModelView, pairs: readonly FoldedPair[]): ModelView {
  const scalings = scalingsOf(pairs);
  const tensors = new Map<string, TensorView>();
  for (const [name, tensor] of view.tensors) {
    const scaling = scalings.get(name);
    tensors.set(name, scaling ? scaledTensor(tensor, scaling) : tensor);
  }
  const notes = [...(view.notes ?? []), `AWQ scales are folded into ${scalings.size} tensors`];
  return { ...view, tensors, notes };
}

function scaledTensor(tensor: TensorView, scaling: TensorScaling): TensorView {
  const { packed: _, ...stored } = tensor;
  const { cols, rows, shape, dtype } = tensor;
  const experts = shape.length > 2 ? shape[0]! : 1;
  const scaled: TensorView = {
    ...stored,
    dtype: dtypeByName('F32'),
    rowBytes: 4 * cols,
    async readRows(firstRow, rowCount, into) {
      checkRowRange(scaled, firstRow, rowCount, into);
      const bytes = new Uint8Array(rowCount * tensor.rowBytes);
      await tensor.readRows(firstRow, rowCount, bytes);
      const values = new Float32Array(rowCount * cols);
      codecOf(dtype).decode(bytes, values);
      scaleRows(values, firstRow, { shape, experts, rows: rows / experts, cols }, scaling);
      into.set(bytesOf(values));
    },
  };
  return scaled;
}
