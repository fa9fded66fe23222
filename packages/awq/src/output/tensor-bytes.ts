// What is written of a tensor: packed parts of a quantized matrix, or numbers.
import { codecOf, dtypeByName } from '@quern/blocks';
import { QuernError } from '@quern/errors';
import type { GroupedRows } from '@quern/packed';
import type { PlainType, RowOrder } from './folder-plan.ts';

/** The rows as the checkpoint wants them. */
export function inCheckpointOrder(weight: GroupedRows, order: RowOrder | undefined): GroupedRows {
  if (order === undefined) return weight;
  const { rows, cols, codes, scales, zeros, offsets } = weight;
  return {
    ...weight,
    codes: reordered(codes, rows, cols, order),
    scales: reordered(scales, rows, scales.length / rows, order),
    ...(zeros && { zeros: reordered(zeros, rows, zeros.length / rows, order) }),
    ...(offsets && { offsets: reordered(offsets, rows, offsets.length / rows, order) }),
  };
}

/** [rows, cols] in the checkpoint's order of rows. A vector has one column. */
function reordered<T extends Float32Array | Uint8Array>(values: T, rows: number, cols: number, order: RowOrder): T {
  const result = values.slice() as T;
  for (let row = 0; row < rows; row++) {
    const from = order(row, rows) * cols;
    result.set(values.subarray(from, from + cols), row * cols);
  }
  return result;
}

/** The way back: row `order(row)` of the view is row `row` of the checkpoint. */
export function inViewOrder(values: Float32Array, rows: number, cols: number, order: RowOrder): Float32Array {
  const result = new Float32Array(values.length);
  for (let row = 0; row < rows; row++)
    result.set(values.subarray(row * cols, (row + 1) * cols), order(row, rows) * cols);
  return result;
}

/** @throws QuernError `refused-f16-overflow` naming the tensor */
export function encodePlain(values: Float32Array, type: PlainType, tensor: string): Uint8Array {
  const dtype = dtypeByName(type);
  const bytes = new Uint8Array(values.length * dtype.typeSize);
  if (type === 'F16' && values.some((value) => Math.abs(value) >= 65520))
    throw new QuernError('refused-f16-overflow', 'Values are too large for F16, which this format computes in.', {
      tensor,
      remedy: 'Choose --format compressed-tensors, which keeps the type of the checkpoint.',
    });
  codecOf(dtype).encode(values, bytes, values.length);
  return bytes;
}
