// Cuts a matrix into pieces that fit a slot: whole rows where they fit, else parts of one row on block boundaries.
// The cut depends on nothing but the matrix and its types, so results do not depend on the number of threads.
import { type DType, rowBytes } from '../dtype.ts';
import { CHUNK_WEIGHTS } from './transcode-blocks.ts';

/** Bytes of a slot for the source, and as many for the target. */
export const SLOT_BYTES = 2 * 1024 * 1024;

/** A part of the matrix: `rows` whole rows, or `cols` columns of one row. */
export interface Piece {
  readonly row: number;
  readonly rows: number;
  readonly col: number;
  readonly cols: number;
  /** Where its bytes lie in the whole matrix. */
  readonly sourceOffset: number;
  readonly targetOffset: number;
  readonly sourceBytes: number;
  readonly targetBytes: number;
}

export interface Matrix {
  from: DType;
  to: DType;
  rows: number;
  cols: number;
  /** How much an error in each column counts, length `cols`; the same for every row. Types that ignore it ignore it. */
  importance?: Float32Array;
}

/** Columns whose importance fits the room beside a slot. */
export const IMPORTANCE_COLS = SLOT_BYTES / 4;

/** Weights that fit a slot in both types, in whole chunks. */
function slotWeights(from: DType, to: DType): number {
  const widest = Math.max(from.typeSize / from.blockSize, to.typeSize / to.blockSize);
  return Math.floor(SLOT_BYTES / widest / CHUNK_WEIGHTS) * CHUNK_WEIGHTS;
}

/** Rows of `cols` weights that fit one slot; at least 1, since longer rows are cut. */
export const slotRows = (from: DType, to: DType, cols: number): number =>
  Math.max(1, Math.floor(slotWeights(from, to) / Math.max(1, cols)));

/**
 * The pieces in order.
 * @throws QuernError `row-not-whole-blocks` when a row does not consist of whole blocks of both types
 */
export function* pieces({ from, to, rows, cols, importance }: Matrix): Generator<Piece> {
  const sourceRow = rowBytes(from, cols);
  const targetRow = rowBytes(to, cols);
  if (cols === 0) return;
  const weights = Math.min(slotWeights(from, to), importance ? IMPORTANCE_COLS : Number.POSITIVE_INFINITY);
  if (cols <= weights) {
    const count = Math.ceil(rows / slotRows(from, to, cols));
    const rowsPerPiece = Math.ceil(rows / count);
    for (let row = 0; row < rows; row += rowsPerPiece) {
      const taken = Math.min(rowsPerPiece, rows - row);
      yield {
        row,
        rows: taken,
        col: 0,
        cols,
        sourceOffset: row * sourceRow,
        targetOffset: row * targetRow,
        sourceBytes: taken * sourceRow,
        targetBytes: taken * targetRow,
      };
    }
    return;
  }
  for (let row = 0; row < rows; row++) {
    for (let col = 0; col < cols; col += weights) {
      const taken = Math.min(weights, cols - col);
      yield {
        row,
        rows: 1,
        col,
        cols: taken,
        sourceOffset: row * sourceRow + rowBytes(from, col),
        targetOffset: row * targetRow + rowBytes(to, col),
        sourceBytes: rowBytes(from, taken),
        targetBytes: rowBytes(to, taken),
      };
    }
  }
}
