// Rows of one tensor through the pool: they are read straight into the memory of the thread that transcodes them, and
// written from there.
import {
  type DType,
  fillFromRows,
  type ReadRows,
  rowBytes,
  type TranscodePool,
  type TranscodeReport,
} from '@quern/blocks';
import type { TensorView } from '@quern/checkpoint';
import type { TensorPlan } from '../plan/plan.ts';

/** Takes `bytes` that stand `offset` bytes behind the first row of the range. */
export type WritePiece = (bytes: Uint8Array, offset: number) => Promise<void>;

/** Rows `first…first + count` of a tensor. */
export interface RowRange {
  readonly first: number;
  readonly count: number;
}

interface Matrix {
  from: DType;
  to: DType;
  rows: number;
  cols: number;
  importance?: Float32Array;
}

/**
 * Writes a range of rows; what is wrong with their weights is reported (with the row's number in the tensor), not judged.
 * @param importance [matrices, cols] of the whole tensor
 */
export async function transcodeRows(
  pool: TranscodePool,
  tensor: TensorPlan,
  range: RowRange,
  view: TensorView,
  write: WritePiece,
  importance?: Float32Array,
): Promise<TranscodeReport> {
  const report: TranscodeReport = { nonFinite: 0, f16Overflows: 0 };
  const bytesPerRow = rowBytes(tensor.to, tensor.cols);
  const tasks = [...(importance ? matricesOf(tensor, range, importance) : [{ ...range, importance }])].values();
  let failed = false;
  const lane = async (): Promise<void> => {
    for (const { first, count, importance: columns } of tasks) {
      if (failed) return;
      const found = await transcodeRange(
        pool,
        { ...tensor, rows: count, importance: columns },
        (row, rowCount, into) => view.readRows(first + row, rowCount, into),
        (bytes, offset) => write(bytes, (first - range.first) * bytesPerRow + offset),
      );
      addReport(report, found, first);
    }
  };
  // The matrices of experts are small: several at a time keep all threads busy.
  const lanes = Array.from({ length: importance ? pool.threads : 1 }, () =>
    lane().catch((error) => {
      failed = true;
      throw error;
    }),
  );
  const outcomes = await Promise.allSettled(lanes);
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  return report;
}

/** Each matrix of a stack has an importance of its own. */
function* matricesOf({ shape, cols }: TensorPlan, { first, count }: RowRange, importance: Float32Array) {
  const rows = shape.at(-2) ?? 1;
  for (let row = first; row < first + count; ) {
    const matrix = Math.floor(row / rows);
    const end = Math.min((matrix + 1) * rows, first + count);
    yield { first: row, count: end - row, importance: importance.subarray(matrix * cols, (matrix + 1) * cols) };
    row = end;
  }
}

function addReport(sum: TranscodeReport, found: TranscodeReport, firstRow: number): void {
  const where = found.firstNonFinite;
  if (where && !(sum.firstNonFinite && sum.firstNonFinite.row <= firstRow + where.row))
    sum.firstNonFinite = { row: firstRow + where.row, col: where.col };
  sum.nonFinite += found.nonFinite;
  sum.f16Overflows += found.f16Overflows;
}

interface Steps extends Matrix {
  readonly via?: DType;
}

function transcodeRange(
  pool: TranscodePool,
  { from, via, to, rows, cols, importance }: Steps,
  read: ReadRows,
  write: WritePiece,
): Promise<TranscodeReport> {
  const matrix = { from, to, rows, cols, importance };
  return via ? inTwoSteps(pool, matrix, via, read, write) : transcode(pool, matrix, read, write);
}

const transcode = (pool: TranscodePool, matrix: Matrix, read: ReadRows, write: WritePiece): Promise<TranscodeReport> =>
  pool.transcode(matrix, fillFromRows(matrix, read), (out, piece) => write(out, piece.targetOffset));

/** By way of `via`, some rows at a time, which stay in memory in between. */
async function inTwoSteps(
  pool: TranscodePool,
  { from, to, rows, cols, importance }: Matrix,
  via: DType,
  read: ReadRows,
  write: WritePiece,
): Promise<TranscodeReport> {
  const bytesBetween = rowBytes(via, cols);
  const bytesPerRow = rowBytes(to, cols);
  const step = pool.threads * pool.maxRows(from, via, cols);
  const report: TranscodeReport = { nonFinite: 0, f16Overflows: 0 };
  for (let first = 0; first < rows; first += step) {
    const count = Math.min(step, rows - first);
    const between = new Uint8Array(count * bytesBetween);
    const narrowed = await transcode(
      pool,
      { from, to: via, rows: count, cols },
      (row, rowCount, into) => read(first + row, rowCount, into),
      async (bytes, offset) => between.set(bytes, offset),
    );
    const encoded = await transcode(
      pool,
      { from: via, to, rows: count, cols, importance },
      async (row, rowCount, into) => into.set(between.subarray(row * bytesBetween, (row + rowCount) * bytesBetween)),
      (bytes, offset) => write(bytes, first * bytesPerRow + offset),
    );
    addReport(report, narrowed, first);
    report.f16Overflows += encoded.f16Overflows;
  }
  return report;
}
