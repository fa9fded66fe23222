// A tensor of GGUF that several of the checkpoint make together, rows of the first, then of the next: the experts of one
// matrix as a stack, q, k and v as one.
import { gatheredRows, type TensorView } from '@quern/checkpoint';
import { gatheredColumns } from './gathered-columns.ts';

/** @param shape of the result: their rows together, or a dimension more in front */
export function joined(name: string, tensors: readonly TensorView[], shape: readonly number[]): TensorView {
  const vectors = shape.length === 1;
  const starts: number[] = [];
  let end = 0;
  for (const { rows, cols } of tensors) {
    starts.push(end);
    end += vectors ? cols : rows;
  }
  // Equal sizes are found by division: a stack has hundreds.
  const each = end / tensors.length;
  const equal = starts.every((start, i) => start === i * each);
  const locate = (index: number) => {
    const tensor = equal ? Math.floor(index / each) : starts.findLastIndex((start) => start <= index);
    return { tensor, at: index - starts[tensor]! };
  };
  if (vectors) {
    return gatheredColumns(name, shape, tensors, (col) => {
      const { tensor, at } = locate(col);
      return { tensor, col: at };
    });
  }
  return gatheredRows(name, shape, tensors, (row) => {
    const { tensor, at } = locate(row);
    return { tensor, row: at };
  });
}

/** One of them again: rows (or elements) `first…` of the whole. */
export function sliceOf(whole: TensorView, name: string, first: number, shape: readonly number[]): TensorView {
  return shape.length === 1 && whole.shape.length === 1
    ? gatheredColumns(name, shape, [whole], (col) => ({ tensor: 0, col: first + col }))
    : gatheredRows(name, shape, [whole], (row) => ({ tensor: 0, row: first + row }));
}
