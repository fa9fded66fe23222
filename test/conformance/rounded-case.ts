// A case with the activations that integer kernels see, as plain TypeScript rounds them.
import { dtypeByName, roundActivations } from '@quern/blocks';
import type { Case, CaseOperand } from './case.ts';

export const floatsOf = ({ bytes }: CaseOperand) =>
  new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);

export const operand = (shape: readonly number[], values: Float32Array): CaseOperand => ({
  dtype: 'F32',
  shape,
  bytes: new Uint8Array(values.buffer),
});

export function rounded(entry: Case): Case {
  const [x, w, ...rest] = entry.inputs;
  const { blockSize } = dtypeByName(w!.dtype);
  const values = roundActivations(floatsOf(x!), blockSize as 32 | 256);
  return { ...entry, inputs: [operand(x!.shape, values), w!, ...rest] };
}
