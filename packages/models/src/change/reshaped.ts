// The same numbers in the same order under another shape: convolutions without their middle 1, vectors as columns, norms
// cut into groups.
import { rowBytes as bytesOfRow } from '@quern/blocks';
import { checkRowRange, type TensorView } from '@quern/checkpoint';
import type { Change } from './change.ts';
import { inPlainNumbers } from './mapped-values.ts';

/** @param shape with as many elements as `stored` has */
export function reshapedTensor(stored: TensorView, shape: readonly number[]): TensorView {
  const cols = shape.at(-1) ?? 1;
  const rows = shape.slice(0, -1).reduce((product, size) => product * size, 1);
  if (cols === stored.cols) return { ...stored, shape, rows };
  const tensor = cols % stored.dtype.blockSize === 0 ? stored : inPlainNumbers(stored);
  const rowBytes = bytesOfRow(tensor.dtype, cols);
  const result = { ...tensor, shape, rows, cols, rowBytes };
  return {
    ...result,
    async readRows(firstRow, rowCount, into) {
      checkRowRange(result, firstRow, rowCount, into);
      if (rowCount === 0) return;
      const begin = firstRow * rowBytes;
      const first = Math.floor(begin / tensor.rowBytes);
      const count = Math.ceil((begin + into.length) / tensor.rowBytes) - first;
      const bytes = new Uint8Array(count * tensor.rowBytes);
      await tensor.readRows(first, count, bytes);
      const skip = begin - first * tensor.rowBytes;
      into.set(bytes.subarray(skip, skip + into.length));
    },
  };
}

/** `stored`: the checkpoint's shape of what has `shape` in GGUF. */
export const reshaped = (stored: (shape: readonly number[]) => readonly number[]): Change => ({
  does: 'reshaped',
  moves: 'values',
  storedShape: stored,
  toGguf: (tensor, _place, shape) => reshapedTensor(tensor, shape),
  toCheckpoint: (tensor, _place, shape) => reshapedTensor(tensor, shape),
});

/** The kernel of a depthwise convolution: [channels, 1, taps] in the checkpoint, [channels, taps] in GGUF. */
export const squeezedKernel = reshaped(([channels, taps]) => [channels!, 1, taps!]);
/** [n] in the checkpoint, [n, 1] in GGUF. */
export const column = reshaped(([rows]) => [rows!]);
/** [groups · n] in the checkpoint, [groups, n] in GGUF. */
export const inGroups = reshaped((shape) => [shape.reduce((product, size) => product * size, 1)]);
/** [1, n] in the checkpoint, [n] in GGUF. */
export const squeezedRow = reshaped((shape) => [1, ...shape]);
