// One tensor through the pool: its rows are read straight into the memory of the thread that transcodes them, and
// written from there.
import { type DType, rowBytes, type TranscodePool, type TranscodeReport } from '@quern/blocks';
import type { TensorView } from '@quern/checkpoint';
import type { TensorPlan } from '../plan/plan.ts';

/** Takes `bytes` of the tensor, to stand at `offset` from its beginning. */
export type WritePiece = (bytes: Uint8Array, offset: number) => Promise<void>;

/** Reads `rowCount` rows of the input into memory; `firstRow…`, whole rows. */
type ReadRows = (firstRow: number, rowCount: number, into: Uint8Array) => Promise<void>;

interface Matrix {
  from: DType;
  to: DType;
  rows: number;
  cols: number;
}

/** Writes all of `tensor`; what is wrong with its weights is reported, not judged. */
export function transcodeTensor(
  pool: TranscodePool,
  tensor: TensorPlan,
  view: TensorView,
  write: WritePiece,
): Promise<TranscodeReport> {
  const { via, from, to, rows, cols } = tensor;
  const read: ReadRows = (firstRow, rowCount, into) => view.readRows(firstRow, rowCount, into);
  return via ? inTwoSteps(pool, tensor, via, read, write) : transcode(pool, { from, to, rows, cols }, read, write);
}

async function transcode(
  pool: TranscodePool,
  matrix: Matrix,
  read: ReadRows,
  write: WritePiece,
): Promise<TranscodeReport> {
  const wide = wideRowReader(matrix, read);
  return pool.transcode(
    matrix,
    (into, piece) => {
      if (piece.cols === matrix.cols) return read(piece.row, piece.rows, into);
      return wide(piece.row, piece.sourceOffset, into);
    },
    (out, piece) => write(out, piece.targetOffset),
  );
}

/** Rows too long for the pool come in parts, but views read whole rows: the row at work is kept. */
function wideRowReader({ from, cols }: Matrix, read: ReadRows) {
  const bytes = rowBytes(from, cols);
  let kept: { row: number; data: Promise<Uint8Array> } | undefined;
  return async (row: number, offset: number, into: Uint8Array): Promise<void> => {
    if (kept?.row !== row) {
      const data = new Uint8Array(bytes);
      kept = { row, data: read(row, 1, data).then(() => data) };
    }
    const begin = offset - row * bytes;
    into.set((await kept.data).subarray(begin, begin + into.length));
  };
}

/** By way of `via`, some rows at a time, which stay in memory in between. */
async function inTwoSteps(
  pool: TranscodePool,
  { from, to, rows, cols }: TensorPlan,
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
      { from: via, to, rows: count, cols },
      async (row, rowCount, into) => into.set(between.subarray(row * bytesBetween, (row + rowCount) * bytesBetween)),
      (bytes, offset) => write(bytes, first * bytesPerRow + offset),
    );
    const found = narrowed.firstNonFinite;
    report.firstNonFinite ??= found && { row: first + found.row, col: found.col };
    report.nonFinite += narrowed.nonFinite;
    report.f16Overflows += narrowed.f16Overflows + encoded.f16Overflows;
  }
  return report;
}
