// Runs the reference implementation of a checked call over plain bytes.
import { codecOf, dtypeByName, rowBytes } from '@quern/blocks';
import type { Span } from '../memory/tensor-table.ts';
import type { CheckedCall } from '../ops/call.ts';
import type { OpName } from '../ops/index.ts';

/** @param bytesOf the bytes of a span, 4-byte aligned for F32 and I32 */
export function runReference<Storage, Name extends OpName>(
  call: CheckedCall<Storage, Name>,
  bytesOf: (span: Span<Storage>) => Uint8Array,
): void {
  const { spec, dims, params, inputs, output, dtypes, outputDtype } = call;
  const place = (operand: string) => spec.inputs.findIndex((input) => input.name === operand);
  const bytes = (operand: string) => bytesOf(inputs[place(operand)]!);
  const f32 = (b: Uint8Array) => new Float32Array(b.buffer, b.byteOffset, b.byteLength / 4);
  const i32 = (b: Uint8Array) => new Int32Array(b.buffer, b.byteOffset, b.byteLength / 4);
  spec.reference({
    dims,
    params,
    f32: (operand) => f32(bytes(operand)),
    i32: (operand) => i32(bytes(operand)),
    row: (operand, row, into) => decodeRow(dtypes[place(operand)]!, bytes(operand), row, into),
    has: (operand) => inputs[place(operand)] !== undefined,
    get y() {
      return f32(bytesOf(output)); // when asked for: the rows of other types need not lie at multiples of four
    },
    storeRow: (row, values) => encodeRow(outputDtype, bytesOf(output), row, values),
    get yI32() {
      return i32(bytesOf(output));
    },
  });
}

function decodeRow(dtypeName: string, matrix: Uint8Array, row: number, into: Float32Array): void {
  const dtype = dtypeByName(dtypeName);
  const bytes = rowBytes(dtype, into.length);
  codecOf(dtype).decode(matrix.subarray(row * bytes, (row + 1) * bytes), into);
}

function encodeRow(dtypeName: string, matrix: Uint8Array, row: number, values: Float32Array): void {
  const dtype = dtypeByName(dtypeName);
  const bytes = rowBytes(dtype, values.length);
  codecOf(dtype).encode(values, matrix.subarray(row * bytes, (row + 1) * bytes), values.length);
}
