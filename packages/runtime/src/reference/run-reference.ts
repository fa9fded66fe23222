// Runs the reference implementation of a checked call over plain bytes.
import { bf16ToF32, f16ToF32 } from '@quern/blocks';
import { QuernError } from '@quern/errors';
import type { Span } from '../memory/tensor-table.ts';
import type { CheckedCall } from '../ops/call.ts';
import type { OpName } from '../ops/index.ts';
import { type ReferenceCall, references } from '../ops/reference.ts';

/** @param bytesOf the bytes of a span, 4-byte aligned for F32 and I32 */
export function runReference<Storage, Name extends OpName>(
  call: CheckedCall<Storage, Name>,
  bytesOf: (span: Span<Storage>) => Uint8Array,
): void {
  const { spec, dims, params, inputs, output, dtypes } = call;
  const place = (operand: string) => spec.inputs.findIndex((input) => input.name === operand);
  const bytes = (operand: string) => bytesOf(inputs[place(operand)]!);
  const f32 = (b: Uint8Array) => new Float32Array(b.buffer, b.byteOffset, b.byteLength / 4);
  const reference = references[spec.name] as (call: ReferenceCall<Name>) => void;
  reference({
    dims,
    params,
    f32: (operand) => f32(bytes(operand)),
    i32: (operand) => {
      const b = bytes(operand);
      return new Int32Array(b.buffer, b.byteOffset, b.byteLength / 4);
    },
    row: (operand, row, into) => decodeRow(dtypes[place(operand)]!, bytes(operand), row, into),
    has: (operand) => inputs[place(operand)] !== undefined,
    y: f32(bytesOf(output)),
  });
}

function decodeRow(dtype: string, matrix: Uint8Array, row: number, into: Float32Array): void {
  const cols = into.length;
  if (dtype === 'F32') {
    into.set(new Float32Array(matrix.buffer, matrix.byteOffset + row * cols * 4, cols));
    return;
  }
  const convert = { F16: f16ToF32, BF16: bf16ToF32 }[dtype];
  if (!convert) throw new QuernError('dtype-no-codec', `${dtype} weights cannot be decoded.`);
  const halves = new Uint16Array(matrix.buffer, matrix.byteOffset + row * cols * 2, cols);
  for (let c = 0; c < cols; c++) into[c] = convert(halves[c]!);
}
