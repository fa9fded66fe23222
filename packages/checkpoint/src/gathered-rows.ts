// Rows of one or several tensors in another order: the one way in which stacks are built and taken apart, fused matrices
// are cut and joined, and heads are reordered. Only the rows that are asked for are read, runs of neighbours at once.
import { checkRowRange } from './contiguous-tensor.ts';
import type { TensorView } from './model-view.ts';

/** Row `row` of the tensor number `tensor`. */
export interface RowPlace {
  readonly tensor: number;
  readonly row: number;
}

/**
 * @param sources matrices with rows of one size and dtype
 * @param shape of the result; its last dimension is that of the sources
 * @param locate where each row of the result lies; every row exactly once per reading
 */
export function gatheredRows(
  name: string,
  shape: readonly number[],
  sources: readonly TensorView[],
  locate: (row: number) => RowPlace,
): TensorView {
  const first = sources[0]!;
  const { rowBytes } = first;
  const rows = shape.slice(0, -1).reduce((product, size) => product * size, 1);
  const whole = { ...first, name, shape, rows };
  return {
    ...whole,
    async readRows(firstRow, rowCount, into) {
      checkRowRange(whole, firstRow, rowCount, into);
      for (const run of runsOf(firstRow, rowCount, locate)) {
        const { tensor, row, targets } = run;
        const start = targets[0]!;
        if (targets.every((target, i) => target === start + i)) {
          await sources[tensor]!.readRows(
            row,
            targets.length,
            into.subarray(start * rowBytes, (start + targets.length) * rowBytes),
          );
          continue;
        }
        const bytes = new Uint8Array(targets.length * rowBytes);
        await sources[tensor]!.readRows(row, targets.length, bytes);
        for (const [i, target] of targets.entries())
          into.set(bytes.subarray(i * rowBytes, (i + 1) * rowBytes), target * rowBytes);
      }
    },
  };
}

/** Neighbouring rows of one source, and where each of them goes. */
interface Run extends RowPlace {
  targets: number[];
}

function runsOf(firstRow: number, rowCount: number, locate: (row: number) => RowPlace): Run[] {
  const wanted = Array.from({ length: rowCount }, (_, target) => ({ ...locate(firstRow + target), target }));
  wanted.sort((a, b) => a.tensor - b.tensor || a.row - b.row);
  const runs: Run[] = [];
  for (const { tensor, row, target } of wanted) {
    const last = runs.at(-1);
    if (last && last.tensor === tensor && last.row + last.targets.length === row) last.targets.push(target);
    else runs.push({ tensor, row, targets: [target] });
  }
  return runs;
}
