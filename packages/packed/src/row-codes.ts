// Rows of codes that lie in rows of the file: MLX and compressed-tensors.
import { unpackCodes } from './bit-codes.ts';
import type { StoredTensor } from './stored-tensor.ts';

/** `count` rows of `cols` codes, one per byte; a stored row may end in padding. */
export async function readRowCodes(
  packed: StoredTensor,
  firstRow: number,
  count: number,
  cols: number,
  bits: number,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(count * packed.rowBytes);
  await packed.readRows(firstRow, count, bytes);
  const codes = new Uint8Array(count * cols);
  for (let row = 0; row < count; row++) {
    unpackCodes(bytes.subarray(row * packed.rowBytes, (row + 1) * packed.rowBytes), bits, cols, codes, row * cols);
  }
  return codes;
}
