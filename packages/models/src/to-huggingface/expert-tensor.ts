// One expert's matrix out of the stack that GGUF stores: the reverse of ../lens/stacked-tensor.ts.
import { checkRowRange, type TensorView } from '@quern/checkpoint';

/** @param shape of one expert; `index` counts them in the stack */
export function expertTensor(stack: TensorView, index: number, shape: readonly number[]): TensorView {
  const rows = shape.slice(0, -1).reduce((product, size) => product * size, 1);
  const first = index * rows;
  const expert = { ...stack, shape, rows, offset: stack.offset + first * stack.rowBytes };
  return {
    ...expert,
    async readRows(firstRow, rowCount, into) {
      checkRowRange(expert, firstRow, rowCount, into);
      await stack.readRows(first + firstRow, rowCount, into);
    },
  };
}
