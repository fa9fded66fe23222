// A model cut into pieces of work: some rows of one tensor, small enough that a few of them per thread are in memory.
import type { Plan, TensorPlan } from '../plan/plan.ts';

export interface RowBlock {
  readonly tensor: TensorPlan;
  readonly firstRow: number;
  readonly rows: number;
  /** Where its bytes go, counted from the start of the tensor. */
  readonly offset: number;
}

/** A few MiB of input and output: large enough for the disk, small enough to keep all threads busy on a small model. */
const weightsPerBlock = 2 ** 20;

/** Pieces of the tensors of `plan` in file order, without those in `finished`. A row is never cut. */
export function* rowBlocks(plan: Plan, finished: ReadonlySet<string>): Generator<RowBlock> {
  for (const tensor of plan.tensors) {
    if (finished.has(tensor.name)) continue;
    const step = rowsPerBlock(tensor);
    const bytesPerRow = tensor.rows === 0 ? 0 : tensor.bytes / tensor.rows;
    for (let firstRow = 0; firstRow < tensor.rows; firstRow += step) {
      const rows = Math.min(step, tensor.rows - firstRow);
      yield { tensor, firstRow, rows, offset: firstRow * bytesPerRow };
    }
  }
}

export const rowsPerBlock = ({ rows, cols }: Pick<TensorPlan, 'rows' | 'cols'>): number =>
  Math.max(1, Math.min(rows, Math.floor(weightsPerBlock / Math.max(1, cols))));
