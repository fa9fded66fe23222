// Tensors that carry factors of config.json in GGUF, which has no keys for them (Falcon-H1). What comes back keeps them, and its
// config.json names none. The products are rounded to F32 one after the other, as the converter's are.
import { codecOf, dtypeByName } from '@quern/blocks';
import { checkRowRange, type TensorView } from '@quern/checkpoint';
import { type Change, type Place, sameShape } from './change.ts';

/** Factors of a row, first to last. */
type FactorsOf = (row: number, place: Place) => readonly number[];

function scaledRows(tensor: TensorView, factorsOf: (row: number) => readonly number[]): TensorView {
  const { packed: _, ...plain } = tensor;
  const { decode } = codecOf(tensor.dtype);
  const result = { ...plain, dtype: dtypeByName('F32')!, rowBytes: 4 * tensor.cols };
  return {
    ...result,
    async readRows(firstRow, rowCount, into) {
      checkRowRange(result, firstRow, rowCount, into);
      const bytes = new Uint8Array(rowCount * tensor.rowBytes);
      await tensor.readRows(firstRow, rowCount, bytes);
      const values = new Float32Array(rowCount * tensor.cols);
      decode(bytes, values);
      // GGUF is little-endian, whatever the machine is.
      const data = new DataView(into.buffer, into.byteOffset, into.byteLength);
      for (let row = 0; row < rowCount; row++) {
        const factors = factorsOf(firstRow + row);
        for (let i = row * tensor.cols; i < (row + 1) * tensor.cols; i++)
          data.setFloat32(
            4 * i,
            factors.reduce((value, factor) => Math.fround(value * factor), values[i]!),
            true,
          );
      }
    },
  };
}

const scaled = (factorsOf: FactorsOf): Change => ({
  does: 'times factors of config.json',
  moves: 'values',
  storedShape: sameShape,
  toGguf: (tensor, place) => scaledRows(tensor, (row) => factorsOf(row, place)),
  toCheckpoint: (tensor) => tensor,
});

/** @param keys numbers of the model, 1 where it has none */
export const scaledBy = (...keys: readonly string[]): Change =>
  scaled((_row, { numbers }) => keys.map((key) => numbers.at(key) ?? 1));

/** @param first a factor of all rows  @param list where the factors of the parts are  @param parts their rows, one after another */
export const scaledParts = (first: string, list: string, parts: readonly string[]): Change =>
  scaled((row, { numbers, sizes }) => {
    let end = 0;
    const part = parts.findIndex((dimension) => row < (end += sizes[dimension]!));
    return [numbers.at(first) ?? 1, numbers.at(`${list}.${part}`) ?? 1];
  });
