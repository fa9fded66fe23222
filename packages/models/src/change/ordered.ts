// Changes that are an order of rows, or of columns. Of a vector its elements are ordered in both cases.
import { gatheredRows, type TensorView } from '@quern/checkpoint';
import { type Change, type Place, sameShape } from './change.ts';
import { gatheredColumns } from './gathered-columns.ts';

/** Both directions of an order of `count` rows or columns. */
export interface Order {
  /** What stands at `index` of GGUF, as index of the checkpoint. */
  readonly stored: (index: number) => number;
  /** The reverse. */
  readonly gguf: (index: number) => number;
}

export type OrderOf = (count: number, place: Place) => Order;

const isVector = (tensor: TensorView) => tensor.shape.length <= 1;

function inOrder(tensor: TensorView, by: 'rows' | 'columns', order: (index: number) => number): TensorView {
  return by === 'columns' || isVector(tensor)
    ? gatheredColumns(tensor.name, tensor.shape, [tensor], (col) => ({ tensor: 0, col: order(col) }))
    : gatheredRows(tensor.name, tensor.shape, [tensor], (row) => ({ tensor: 0, row: order(row) }));
}

const length = (tensor: TensorView, by: 'rows' | 'columns') =>
  by === 'columns' || isVector(tensor) ? tensor.cols : tensor.rows;

function ordered(does: string, by: 'rows' | 'columns', orderOf: OrderOf): Change {
  const of = (tensor: TensorView, place: Place) => orderOf(length(tensor, by), place);
  return {
    does,
    moves: by === 'rows' ? 'rows' : 'values',
    ofProduct: by === 'rows' ? 'left' : 'right',
    storedShape: sameShape,
    toGguf: (tensor, place) => inOrder(tensor, by, of(tensor, place).stored),
    toCheckpoint: (tensor, place) => inOrder(tensor, by, of(tensor, place).gguf),
    ...(by === 'rows' && { ggufRow: (row, rows, place) => orderOf(rows, place).gguf(row) }),
  };
}

export const orderedRows = (does: string, orderOf: OrderOf): Change => ordered(does, 'rows', orderOf);
export const orderedColumns = (does: string, orderOf: OrderOf): Change => ordered(does, 'columns', orderOf);
