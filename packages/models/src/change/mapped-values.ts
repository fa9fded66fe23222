// Numbers computed from numbers, one by one: the norms that a checkpoint stores around zero, state decays that it stores as
// logarithms. The result is F32, as in llama.cpp's converter, which computes in float32.
import { codecOf, dtypeByName } from '@quern/blocks';
import { checkRowRange, type TensorView } from '@quern/checkpoint';
import { type Change, sameShape } from './change.ts';

/** `f` of every value, as F32. */
export const mappedValues = (tensor: TensorView, f: (value: number) => number): TensorView =>
  mappedRows(tensor, () => f);

/** Of every value of a row what `ofRow` makes of it, as F32. */
export function mappedRows(tensor: TensorView, ofRow: (row: number) => (value: number) => number): TensorView {
  const dtype = dtypeByName('F32')!;
  const { decode } = codecOf(tensor.dtype);
  const { packed: _, ...stored } = tensor;
  const result = { ...stored, dtype, rowBytes: 4 * tensor.cols };
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
        const f = ofRow(firstRow + row);
        for (let i = row * tensor.cols; i < (row + 1) * tensor.cols; i++) data.setFloat32(4 * i, f(values[i]!), true);
      }
    },
  };
}

/** A tensor stored in blocks as F32; others as they are. */
export const inPlainNumbers = (tensor: TensorView): TensorView =>
  tensor.dtype.blockSize === 1 ? tensor : mappedValues(tensor, (value) => value);

/** The same numbers as F32. */
export const inF32 = (tensor: TensorView): TensorView =>
  tensor.dtype.name === 'F32' ? tensor : mappedValues(tensor, (value) => value);

const elementwise = (does: string, there: (value: number) => number, back: (value: number) => number): Change => ({
  does,
  moves: 'values',
  storedShape: sameShape,
  toGguf: (tensor) => mappedValues(tensor, there),
  toCheckpoint: (tensor) => mappedValues(tensor, back),
});

/** Norms of weight 1 + w (Gemma 1–3, Qwen 3.5). */
export const plusOne = elementwise(
  '1 added',
  (value) => value + 1,
  (value) => value - 1,
);

/** `A_log` of state-space models and delta nets: A = −e^(A_log). */
export const negatedExp = elementwise(
  'negated exponential',
  (value) => -Math.exp(value),
  (value) => Math.log(-value),
);

/** `A_log` of Kimi's delta attention, whose sign llama.cpp puts into the product. */
export const exponential = elementwise('exponential', Math.exp, Math.log);

/** Scales that a checkpoint stores before softplus, which keeps them above 0. */
export const softplus = elementwise(
  'softplus',
  (value) => (value > 20 ? value : Math.log1p(Math.fround(Math.exp(value)))),
  (value) => (value > 20 ? value : Math.log(Math.expm1(value))),
);

/** Every value times a constant. */
export const times = (factor: number): Change => ({
  ...elementwise(
    `times ${factor}`,
    (value) => value * factor,
    (value) => value / factor,
  ),
  ofProduct: 'left',
});
