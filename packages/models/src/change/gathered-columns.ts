// Columns of one or several tensors in another order, and elements of vectors, which are matrices of one row. The sources
// are read row for row; what is quantized in blocks is decoded where an order would cut a block.
import { checkRowRange, type TensorView } from '@quern/checkpoint';
import { inPlainNumbers } from './mapped-values.ts';

/** Column `col` of the tensor number `tensor`. */
export interface ColumnPlace {
  readonly tensor: number;
  readonly col: number;
}

interface Run extends ColumnPlace {
  readonly target: number;
  count: number;
}

/**
 * @param sources tensors with as many rows and of one dtype
 * @param shape of the result; all but its last dimension are those of the sources
 * @param locate where each column of the result lies
 */
export function gatheredColumns(
  name: string,
  shape: readonly number[],
  sources: readonly TensorView[],
  locate: (col: number) => ColumnPlace,
): TensorView {
  const cols = shape.at(-1) ?? 1;
  const runs = runsOf(cols, locate);
  const { blockSize, typeSize } = sources[0]!.dtype;
  const whole = (size: number) => size % blockSize === 0;
  if (blockSize > 1 && !runs.every(({ col, target, count }) => whole(col) && whole(target) && whole(count)))
    return gatheredColumns(name, shape, sources.map(inPlainNumbers), locate);
  const bytesOf = (columns: number) => (columns / blockSize) * typeSize;
  const result = { ...sources[0]!, name, shape, cols, rowBytes: bytesOf(cols) };
  return {
    ...result,
    async readRows(firstRow, rowCount, into) {
      checkRowRange(result, firstRow, rowCount, into);
      for (const [index, source] of sources.entries()) {
        const bytes = new Uint8Array(rowCount * source.rowBytes);
        await source.readRows(firstRow, rowCount, bytes);
        for (const { tensor, col, target, count } of runs) {
          if (tensor !== index) continue;
          for (let row = 0; row < rowCount; row++) {
            const from = row * source.rowBytes + bytesOf(col);
            into.set(bytes.subarray(from, from + bytesOf(count)), row * result.rowBytes + bytesOf(target));
          }
        }
      }
    },
  };
}

function runsOf(cols: number, locate: (col: number) => ColumnPlace): Run[] {
  const runs: Run[] = [];
  for (let target = 0; target < cols; target++) {
    const { tensor, col } = locate(target);
    const last = runs.at(-1);
    if (last && last.tensor === tensor && last.col + last.count === col) last.count += 1;
    else runs.push({ tensor, col, target, count: 1 });
  }
  return runs;
}
