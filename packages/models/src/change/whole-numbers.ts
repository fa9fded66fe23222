// Whole numbers: a checkpoint of torch has 64 bits for each, GGUF 32.
import { dtypeByName } from '@quern/blocks';
import { checkRowRange, type TensorView } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import { type Change, type Place, sameShape } from './change.ts';

type Below = (place: Place) => number;

/** Number `i`, from the bytes as they are stored to those of the other type. */
type Move = (from: DataView, to: DataView, i: number) => void;

function stored(tensor: TensorView, as: 'I32' | 'I64', move: Move): TensorView {
  const dtype = dtypeByName(as)!;
  const result = { ...tensor, dtype, rowBytes: dtype.typeSize * tensor.cols };
  return {
    ...result,
    async readRows(firstRow, rowCount, into) {
      checkRowRange(result, firstRow, rowCount, into);
      const bytes = new Uint8Array(rowCount * tensor.rowBytes);
      await tensor.readRows(firstRow, rowCount, bytes);
      const [from, to] = [bytes, into].map(
        ({ buffer, byteOffset, length }) => new DataView(buffer, byteOffset, length),
      );
      for (let i = 0; i < rowCount * tensor.cols; i++) move(from!, to!, i);
    },
  };
}

/** @param limit all numbers are below it, and none is negative */
function narrowed(tensor: TensorView, limit: number): TensorView {
  const wide = tensor.dtype.name === 'I64';
  return stored(tensor, 'I32', (from, to, i) => {
    const number = wide ? Number(from.getBigInt64(8 * i, true)) : from.getInt32(4 * i, true);
    if (!(number >= 0 && number < limit)) refuse(tensor, number, limit);
    to.setInt32(4 * i, number, true);
  });
}

const widened = (tensor: TensorView): TensorView =>
  stored(tensor, 'I64', (from, to, i) => to.setBigInt64(8 * i, BigInt(from.getInt32(4 * i, true)), true));

function refuse({ file, name }: TensorView, number: number, limit: number): never {
  throw new QuernError('tensor-number-out-of-range', `${number} is not among 0 … ${limit - 1}.`, {
    file,
    tensor: name,
    remedy: 'The checkpoint is damaged, or its config.json belongs to another one.',
  });
}

/** I64 (or I32) in the checkpoint, I32 in GGUF: numbers of something of which there are so many. */
export const wholeNumbersBelow = (limit: Below): Change => ({
  does: 'whole numbers of 32 bits',
  moves: 'values',
  storedShape: sameShape,
  toGguf: (tensor, place) => narrowed(tensor, limit(place)),
  toCheckpoint: (tensor) => widened(tensor),
});
