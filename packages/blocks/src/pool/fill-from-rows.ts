// Filling the pool from something that hands out whole rows, as tensors do. Rows too long for the pool come in parts: the
// row at work is read once and kept.
import { type DType, rowBytes } from '../dtype.ts';
import type { Fill } from './transcode-pool.ts';

/** Reads `rowCount` rows into memory, `firstRow…`, counted as the rows of the task. */
export type ReadRows = (firstRow: number, rowCount: number, into: Uint8Array) => Promise<void>;

/** @param task whose source rows `read` gives */
export function fillFromRows({ from, cols }: { from: DType; cols: number }, read: ReadRows): Fill {
  const bytes = rowBytes(from, cols);
  let kept: { row: number; data: Promise<Uint8Array> } | undefined;
  return async (into, piece) => {
    const { row } = piece;
    if (piece.cols === cols) return read(row, piece.rows, into);
    if (kept?.row !== row) {
      const data = new Uint8Array(bytes);
      kept = { row, data: read(row, 1, data).then(() => data) };
    }
    const begin = piece.sourceOffset - row * bytes;
    into.set((await kept.data).subarray(begin, begin + into.length));
  };
}
